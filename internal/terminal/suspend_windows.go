package terminal

// Suspend returns ErrNoSuspend: Windows has no job control.
func Suspend() error { return ErrNoSuspend }

func watchStops() {}
