package window

import (
	"context"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

// Upcoming is when the service says that a window opens, the next time first. Its
// list may have no end: who reads it stops. A time that is not understood is zero.
func (s *Service) Upcoming(ctx context.Context, window string) iter.Seq2[time.Time, error] {
	in := &ssm.DescribeMaintenanceWindowScheduleInput{WindowId: aws.String(window), MaxResults: aws.Int32(pageSize)}
	return awsapi.Pages("read the schedule of maintenance window "+window, func(token *string) ([]types.ScheduledWindowExecution, *string, error) {
		in.NextToken = token
		out, err := s.api.DescribeMaintenanceWindowSchedule(ctx, in)
		if err != nil {
			return nil, nil, err
		}
		return out.ScheduledWindowExecutions, out.NextToken, nil
	}, func(e types.ScheduledWindowExecution) time.Time { return ParseTime(aws.ToString(e.ExecutionTime)) })
}
