package transfer

import (
	"path"
	"strings"
)

// newline defines what quote relies on.
const newline = "NL='\n'\n"

// quote makes one word of a POSIX shell, on one line: workers read lines.
func quote(s string) string {
	return "'" + strings.NewReplacer("'", `'\''`, "\n", `'"$NL"'`).Replace(s) + "'"
}

// quotePath makes the word of a path. A leading ~ is the home folder, a leading
// dash is no option.
func quotePath(p string) string {
	switch {
	case p == "~":
		return `"$HOME"`
	case strings.HasPrefix(p, "~/"):
		return `"$HOME"/` + quote(p[2:])
	case strings.HasPrefix(p, "-"):
		return quote("./" + p)
	}
	return quote(p)
}

// parent returns the folder that p is in, as a path of the same form.
func parent(p string) string {
	p = strings.TrimRight(p, "/")
	switch {
	case p == "":
		return "/"
	case p == "~":
		return "~/.."
	}
	return path.Dir(p)
}

// prelude makes the tools of a node alike, whichever it has. It defines
//
//	has NAME   whether there is a program
//	s          the SHA-256 of standard input, in hexadecimal
//	enc, dec   base64
//	off OFFSET a reader's start, in units of 64 KiB
//
// and sets T and Z when there is a tar and a gzip.
const prelude = newline + `cd 2>/dev/null; umask 077; LC_ALL=C; export LC_ALL
has() { command -v "$1" >/dev/null 2>&1; }
if has sha256sum; then s() { sha256sum | cut -c1-64; }
elif has shasum; then s() { shasum -a 256 | cut -c1-64; }
elif has openssl; then s() { openssl dgst -sha256 | sed 's/.*= *//'; }
elif has sha256; then s() { sha256 -q; }
else s() { echo none; }; fi
if has base64; then
enc() { base64; }
if [ "$(printf eA== | base64 -d 2>/dev/null)" = x ]; then dec() { base64 -d; }; else dec() { base64 -D; }; fi
elif has openssl; then enc() { openssl base64; }; dec() { openssl base64 -d; }
elif has perl; then enc() { perl -MMIME::Base64 -0777 -ne 'print encode_base64($_)'; }; dec() { perl -MMIME::Base64 -ne 'print decode_base64($_)'; }
elif has python3; then enc() { python3 -m base64 -e; }; dec() { python3 -m base64 -d; }
else NOTOOL='base64, openssl, perl or python3'; fi
[ "$(printf '' | s)" = e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 ] || NOTOOL='sha256sum, shasum or openssl'
has head && has dd || NOTOOL='head and dd'
Z=; T=; if has gzip; then Z=1; fi; if has tar; then T=1; fi
`

// workerScript is a shell that reads lines from its terminal and evaluates them.
// Each is one call of a function below, which answers with one line that begins
// with the tag; what else appears is noise. The terminal is made a plain pipe
// first: no echo, no signals, no lines.
//
//	stage DEST PARENT NAME KEEP     make the staging folder
//	join STAGE PARENT               use the one another worker has made
//	chk NAME                        what is at the destination
//	mk FOLDER..., drop FILE         make folders, remove a file
//	lnk TARGET FILE                 make a link
//	put FILE UNIT SEEK LENGTH PACK  read a block, write it at SEEK times UNIT;
//	                                PACK 1: it is compressed
//	bun LENGTH PACK SHA             read a tar archive and unpack it
//	sum FILE, sums FILE SIZE UNIT   SHA-256 of a file, of its blocks
//	meta FILE MODE STAMP @SECONDS   permissions, time
//	mod NAME MODE                   permissions of what is in place already
//	fin SKIP                        move everything into place
//	bye                             end; the folder is removed
//
// When the session dies, so do the shell and its group, by SIGHUP or worse. A
// small process outside of the group then removes the staging folder.
const workerScript = prelude + `S=; P=; W=; KEEP=; OWN=
r() { printf '%s %s\n' "$K" "$*"; }
die() { r err "$(printf %s "$*" | tr '\n' ' ')"; exit 1; }
clean() {
if [ -n "$OWN" ] && [ -z "$KEEP" ]; then rm -rf "$S"; fi
if [ -n "$W" ]; then kill "$W" 2>/dev/null; fi
OWN=; W=
}
trap clean EXIT; trap 'exit 1' HUP INT TERM
guard() { # a shell of its own, since some give no group to jobs of a subshell
W=$(sh -c 'set -m 2>/dev/null
( trap "" HUP INT; while kill -0 "$1"; do sleep 1; done; rm -rf "$2" ) </dev/null >/dev/null 2>&1 &
echo $!' sh $$ "$S" 2>/dev/null)
}
stage() {
if [ -d "$1" ]; then k=dir; P=$1; else P=$2; k=none; if [ -e "$1" ] || [ -L "$1" ]; then k=file; fi; fi
[ -d "$P" ] || die "no such folder: $P"
KEEP=$4
if [ -n "$KEEP" ] && [ -d "$P/$3" ] && [ ! -L "$P/$3" ] && [ -O "$P/$3" ]; then k="$k again"
else m=$(mkdir "$P/$3" 2>&1) || die "$m"; fi
S=$P/$3; OWN=1; mkdir -p "$S/t" || die "cannot make $S"
if [ -z "$KEEP" ]; then guard; fi
free=$(df -Pk "$P" 2>/dev/null | { read -r h; read -r a b c d e; echo "$d"; })
r begun "${free:--}" $k
}
join() { S=$1; P=$2; [ -d "$S/t" ] || die "the staging folder is gone"; r ok; }
chk() {
if [ -L "$P/$1" ]; then if [ -d "$P/$1" ]; then r is linkdir; else r is link; fi
elif [ -d "$P/$1" ]; then r is dir; elif [ -e "$P/$1" ]; then r is file; else r is none; fi
}
mk() { m=$(mkdir -p "$@" 2>&1) || die "$m"; r ok; }
drop() { m=$(rm -f "$1" 2>&1) || die "$m"; r ok; }
lnk() { m=$( { rm -f "$2"; ln -s -- "$1" "$2"; } 2>&1 ) || die "$m"; r ok; }
mod() { m=$(chmod "$2" "$P/$1" 2>&1) || die "$m"; r ok; }
un() { if [ "$1" = 1 ]; then gzip -dc; else cat; fi; }
put() {
m=$( { head -c "$4" | dec | un "$5" | dd ibs="$2" obs="$2" seek="$3" conv=notrunc of="$1"; } 2>&1 ) || die "$(printf '%s\n' "$m" | grep -v 'records in\|records out\|copied')"
r ok
}
bun() {
m=$( { head -c "$1" | dec | un "$2" >"$S/b$$"; } 2>&1 ) || die "$m"
[ "$(s <"$S/b$$")" = "$3" ] || die "checksum: what arrived is not what was sent"
m=$( { cd "$S/t" && tar -xpof "../b$$"; } 2>&1 ) || die "$m"
rm -f "$S/b$$"; r ok
}
sum() { r sum "$(s <"$1")"; }
sums() {
i=0; n=$(wc -c <"$1" 2>/dev/null || echo 0); b=$(($3 / 65536)); h=
while [ $((i * $3)) -lt "$2" ] && [ $((i * $3)) -lt $n ]; do
h="$h $(dd if="$1" bs=65536 skip=$((i * b)) count=$b 2>/dev/null | s)"; i=$((i + 1)); done
r sums $h
}
meta() { m=$( { chmod "$2" "$1" && { TZ=UTC0 touch -t "$3" "$1" || touch -d "$4" "$1"; }; } 2>&1 ) || die "$m"; r ok; }
merge() {
a=$1 b=$2; set --
for f in "$a"/* "$a"/.[!.]* "$a"/..?*; do
if [ -L "$f" ] || [ -e "$f" ]; then
t=$b/${f##*/}
if [ -d "$f" ] && [ ! -L "$f" ]; then
if [ -d "$t" ] && [ ! -L "$t" ]; then ( merge "$f" "$t" ) || return 1; continue
elif [ -e "$t" ] || [ -L "$t" ]; then
if [ -n "$SKIP" ]; then continue; fi
echo "$t: is not a folder"; return 1; fi
elif [ -n "$SKIP" ] && { [ -e "$t" ] || [ -L "$t" ]; }; then continue
elif [ -L "$f" ] && [ -L "$t" ]; then rm -f "$t"
elif [ -d "$t" ]; then echo "$t: is a folder"; return 1; fi
set -- "$@" "$f"
if [ $# -ge 100 ]; then mv -f -- "$@" "$b/" || return 1; set --; fi
fi
done
if [ $# -gt 0 ]; then mv -f -- "$@" "$b/"; fi
}
fin() { SKIP=$1; [ -d "$S/t" ] || die "the staging folder is gone"; m=$(merge "$S/t" "$P" 2>&1) || { KEEP=; die "$m"; }; KEEP=; clean; r done; }
bye() { r bye; exit 0; }
if [ -n "$NOTOOL" ]; then die "the node has no $NOTOOL"; fi
`

// workerLoop begins the work of a workerScript on a terminal.
const workerLoop = `stty raw -echo 2>/dev/null || die "the node has no stty, or no terminal"
x=; if [ "$(printf abcdef | { head -c 2 >/dev/null; cat; })" = cdef ]; then x=1; fi
r ready "t$T" "z$Z" "x$x" "$(uname -s)"
while IFS= read -r l; do eval "$l"; done
`

// unsized is a file as those of /proc, which has contents and a size of 0.
const unsized = "its size says nothing about its contents; read it with ssmdeck exec NODE -- cat"

// readerScript prints files. Lines that begin with a colon are ours, the others
// are base64; see feed.
//
//	f INDEX SEEK OFFSET LENGTH FILE WHOLE   a range, beginning at SEEK times 64 KiB
//	b INDEX FOLDER LIMIT                    a folder's files below LIMIT bytes, as tar
//	k INDEX FILE SIZE UNIT                  the SHA-256 of each UNIT of a file
//
// A range is read a second time for its checksum, and a file in several ranges
// once more as a whole when WHOLE is its size: what changed meanwhile shows.
const readerScript = prelude + "UNSIZED='" + unsized + "'\n" + `if [ -n "$NOTOOL" ]; then echo ":x the node has no $NOTOOL"; exit 1; fi
g() { dd if="$3" bs=65536 skip="$1" count=$((($2 + 65535) / 65536)) 2>/dev/null | head -c "$2"; }
worth() { [ -n "$Z" ] && [ "$PACK" = 1 ] && n=$(head -c 65536 | gzip -1 -c | wc -c) && [ "$n" -lt "$1" ]; }
f() {
m=$( { : <"$5"; } 2>&1 ) || { echo ":e $1 $m"; return; }
if [ "$4" = 0 ] && [ ! -s "$5" ] && [ "$(head -c 1 <"$5" | wc -c)" -gt 0 ]; then echo ":e $1 $UNSIZED"; return; fi
l=$4; if [ "$l" -gt 65536 ]; then l=65536; fi
if [ "$4" -ge 4096 ] && g "$2" "$4" "$5" | worth $((l * 85 / 100)); then echo ":z $1 $3"; g "$2" "$4" "$5" | gzip -1 -c | enc
else echo ":r $1 $3"; g "$2" "$4" "$5" | enc; fi
echo; echo ":s $1 $(g "$2" "$4" "$5" | s)"
if [ -n "$6" ]; then echo ":w $1 $(head -c "$6" <"$5" | s)"; fi
}
b() {
m=$( { cd "$2"; } 2>&1 ) || { echo ":e $1 $m"; return; }
( cd "$2" || exit 1
w() { find . -type f -size -"$L"c "$@"; }
L=$3
if w -exec tar -cf - {} + 2>/dev/null | worth 55700; then echo ":Z $1"; w -exec tar -cf - {} + 2>/dev/null | gzip -1 -c | enc
else echo ":R $1"; w -exec tar -cf - {} + 2>/dev/null | enc; fi
echo; echo ":s $1 $(w -exec cat {} + 2>/dev/null | s)" ) 2>/dev/null
}
k() {
i=0; n=$(($4 / 65536)); while [ $((i * $4)) -lt "$3" ]; do echo ":k $1 $(dd if="$2" bs=65536 skip=$((i * n)) count=$n 2>/dev/null | s)"; i=$((i + 1)); done
}
`

// listScript prints what is at paths of the node: for each a record of fields
// that end in NUL, all in base64, since names are bytes and not text.
//
//	INDEX TAB TYPE TAB MODE TAB SECONDS TAB SIZE NUL NAME NUL LINK NUL
//
// TYPE is that of find: f, d, l or another; x is said once more of a folder that
// cannot be listed. "!" in its place is a path that cannot be copied, with the
// reason as its name.
const listScript = prelude + `if [ -n "$NOTOOL" ]; then echo ":x the node has no $NOTOOL"; exit 1; fi
if find . -maxdepth 0 -printf '' >/dev/null 2>&1; then F=1; else F=; fi
walk() { find -H "$1" -exec sh -c 'i=$1; p=$2; shift 2
for f; do
L=; if [ "$f" = "$p" ]; then n=; L=-L; else n=${f#"$p"}; n=${n#/}; fi
t=; if [ -z "$L" ] && [ -L "$f" ]; then y=l; t=$(readlink "$f"); elif [ -d "$f" ]; then y=d; elif [ -f "$f" ]; then y=f; else y=o; fi
set -- "$@"; m=$(stat $L -c "%a %Y %s" "$f" 2>/dev/null) || m=$(stat $L -f "%Lp %m %z" "$f") || continue
printf "%s\t%s\t%s\t%s\t%s\0%s\0%s\0" "$i" "$y" ${m} "$n" "$t"
done' sh "$2" "$1" {} +; }
one() {
if [ ! -e "$2" ]; then m='No such file or directory'
elif [ -d "$2" ]; then m=$( { cd "$2" && ls >/dev/null; } 2>&1 ) && m=
elif [ -f "$2" ]; then m=$( { : <"$2"; } 2>&1 ) && m=
else m='neither a file nor a folder'; fi
if [ -n "$m" ]; then printf '%s\t!\t0\t0\t0\0%s\0\0' "$1" "$m"; return; fi
if [ -d "$2" ] && [ -z "$RECURSE" ]; then printf '%s\td\t0\t0\t0\0\0\0' "$1"; return; fi
if [ -n "$F" ]; then find -H "$2" -printf "$1"'\t%y\t%m\t%T@\t%s\0%P\0%l\0'; else walk "$2" "$1"; fi
if [ -d "$2" ]; then find -H "$2" -type d -exec sh -c 'i=$1; p=$2; shift 2
for f; do
if [ ! -r "$f" ] || [ ! -x "$f" ]; then n=${f#"$p"}; printf "%s\tx\t0\t0\t0\0%s\0\0" "$i" "${n#/}"; fi
done' sh "$1" "$2" {} + 2>/dev/null; fi
}
echo ":t t$T z$Z $(uname -s)"
`
