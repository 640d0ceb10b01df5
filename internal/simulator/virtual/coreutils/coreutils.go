// Package coreutils holds the simulated programs that need nothing but files,
// streams and the clock: those of GNU coreutils, grep, sed, a subset of awk,
// find and a few neighbours.
//
// They follow the options, messages and exit statuses of the GNU programs as
// far as an operator looking around on a node meets them. What is not
// supported is refused with a message, never silently ignored.
package coreutils

import (
	"context"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/program"
)

// Programs returns the programs by name.
func Programs() map[string]program.Func {
	return map[string]program.Func{
		"[": builtin, "echo": builtin, "printf": builtin, "test": builtin,
		"pwd": builtin, "kill": builtin,
		"true": builtin, "false": builtin,
		"awk": awk, "gawk": awk, "base64": base64Cmd, "basename": basename, "cat": cat,
		"chgrp": chown, "chmod": chmod, "chown": chown, "clear": clearScreen, "cmp": cmpFiles,
		"cp": cp, "cut": cut, "date": date, "dd": dd, "dirname": dirname, "du": du,
		"egrep": grep, "env": env, "expr": expr, "fgrep": grep, "find": find, "fold": fold, "grep": grep,
		"gunzip": gzipCmd, "gzip": gzipCmd, "head": head, "install": install, "ln": ln, "ls": ls,
		"md5sum": checksum, "mkdir": mkdir, "mktemp": mktemp, "mv": mv, "nice": runCommand,
		"nl": nl, "nohup": runCommand, "nproc": nproc, "paste": paste, "printenv": printenv,
		"readlink": readlink, "realpath": realpath, "reset": clearScreen, "rev": rev, "rm": rm,
		"rmdir": rmdir, "sed": sed, "seq": seq, "sha1sum": checksum, "sha256sum": checksum,
		"sha512sum": checksum, "sleep": sleep, "sort": sortCmd, "stat": stat, "stdbuf": runCommand,
		"stty": stty, "sync": nothing, "tac": tac, "tail": tail, "tar": tarCmd, "tee": tee, "time": runCommand,
		"timeout": timeout, "touch": touch, "tput": tput, "tr": tr, "truncate": truncate, "tty": ttyCmd,
		"uniq": uniq, "wc": wc, "xargs": xargs, "yes": yes, "zcat": gzipCmd,
	}
}

// builtin runs what is also a builtin of the shell.
func builtin(ctx context.Context, p *program.Proc) int {
	args := append([]string{p.Name()}, p.Args[1:]...)
	return p.Shell.RunBuiltin(ctx, args, p.Stdin, p.Stdout, p.Stderr)
}

func nothing(context.Context, *program.Proc) int { return 0 }

func nproc(_ context.Context, p *program.Proc) int {
	p.Printf("2\n")
	return 0
}
