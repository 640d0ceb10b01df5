package transfer

import "io/fs"

// ours reports whether it is a folder: who may enter it, its parent says.
func ours(info fs.FileInfo) bool { return info.IsDir() }
