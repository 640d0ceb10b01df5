// Package transfer copies files and folders between this machine and managed
// nodes, through sessions alone: the node needs a POSIX shell or PowerShell and
// what every system has, no S3, no sshd, no AWS CLI.
//
// The two directions use what agents are fast at:
//
//	download   commands with separate output streams print base64; several at once
//	upload     commands on a terminal in raw mode read base64, a block at a time
//
// Both stage under a random name in the destination folder, in a folder that
// only its owner can enter, are checked with SHA-256, and move into place at the
// end. What cannot be finished is removed, by us and, should we die, by the node.
//
//	Place      NODE:PATH, or a path of this machine             (place.go, pure)
//	scan       what there is to copy here                        (scan.go)
//	scripts    what runs on the node                             (script_*.go, pure)
//	worker     a shell on the node that does what it is asked    (worker.go)
//	upload     blocks and bundles over several workers           (upload*.go)
//	listing    what there is to copy there; not trusted          (listing.go)
//	feed       the output of a lane, taken apart                 (feed.go)
//	sink       staging and moving into place here                (sink.go)
//	Service    many nodes, results                               (copy.go, result.go)
package transfer
