package render

import "testing"

func TestSparkline(t *testing.T) {
	glyphs := []string{"0", "1", "2", "3", "4"}
	tests := []struct {
		name   string
		shares []float64
		width  int
		want   string
	}{
		{"nothing", nil, 10, ""},
		{"no room", []float64{1}, 0, ""},
		{"up", []float64{0.5, 0.6, 0.7, 0.8, 0.9}, 10, "01234"},
		{"small changes are seen", []float64{0.98, 0.99, 0.98}, 10, "040"},
		{"equal shares are at their height", []float64{0.5, 0.5}, 10, "22"},
		{"all good", []float64{1, 1, 1}, 10, "444"},
		{"more than there is room for", []float64{0, 0, 0.5, 0.5, 1, 1}, 3, "024"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Sparkline(tt.shares, tt.width, glyphs); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
