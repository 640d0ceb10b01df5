package transfer

import (
	"context"
	"errors"
)

func (s *Service) listWindows(ctx context.Context, node Node, paths []string, recursive bool) (*listing, error) {
	return nil, errors.New("todo")
}
func windowsWord(source, name string) string               { return "" }
func (d *download) batchWindows(jobs []*job) (int, string) { return len(jobs), "" }
