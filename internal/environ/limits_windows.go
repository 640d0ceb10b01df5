package environ

// System returns the limits of this system (CreateProcess, SetEnvironmentVariable):
// 32,767 characters a variable.
func System() Limits { return Limits{String: 32767, Units: true} }
