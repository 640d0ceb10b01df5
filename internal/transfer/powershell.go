package transfer

import (
	"context"
	"fmt"
	"strings"
)

// Windows nodes get PowerShell. Commands become a command line there, which ends
// at 32767 characters and is cut into words once more on its way: scripts are
// one line, without double quotes. They use classes of .NET in place of cmdlets,
// which would take brackets in names for patterns.
//
// Names of variables know no case, and a function sees those of its caller: what
// is shared has a long name.
//
// There is no terminal that is worth using as a pipe, so uploads stand in the
// text of commands (see textWorker); downloads are as fast as anywhere.

// endPS ends a reader's script: the exit status, which the output does not carry
// as that of a POSIX shell does, is not always told.
const endPS = "o ':.'"

// powershell makes one line of a script.
func powershell(script string) string {
	var b strings.Builder
	for line := range strings.Lines(script) {
		b.WriteString(strings.TrimSpace(line) + " ")
	}
	return b.String()
}

// quotePS makes one word of PowerShell.
func quotePS(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// quotePathPS makes the word of a path, which begins in the home folder.
func quotePathPS(p string) string {
	switch {
	case p == "~", p == ".":
		p = ""
	case strings.HasPrefix(p, "~/"), strings.HasPrefix(p, `~\`):
		p = p[2:]
	}
	return "(ab " + quotePS(strings.ReplaceAll(p, "/", `\`)) + ")"
}

// preludePS is what all scripts begin with: o prints, ab makes a path absolute,
// k tells what is there (f, d, o for other), hs and hf are checksums. No function
// may bear the name of an alias (h, r, del), which would go first.
const preludePS = `$ErrorActionPreference='Stop';
function o($t) { [Console]::Out.WriteLine($t) };
function ab($p) { if ([IO.Path]::IsPathRooted($p)) { $p } else { [IO.Path]::Combine($env:USERPROFILE,$p).TrimEnd('\') } };
function k($f) {
$a=[IO.File]::GetAttributes($f).ToString();
if ($a -like '*ReparsePoint*') { 'o' } elseif ($a -like '*Directory*') { 'd' } else { 'f' } };
function hs($b,$n) { [BitConverter]::ToString([Security.Cryptography.SHA256]::Create().ComputeHash($b,0,$n)).Replace('-','').ToLower() };
function hf($f) {
$s=[IO.File]::Open($f,'Open','Read','ReadWrite');
try { [BitConverter]::ToString([Security.Cryptography.SHA256]::Create().ComputeHash($s)).Replace('-','').ToLower() } finally { $s.Close() } };
`

// listScriptPS is listScript. What has no number of permissions gets the usual.
const listScriptPS = preludePS + `
function e($i,$y,$f,$n) {
$t=0; $z=0; $m='644';
if ($y -eq 'd') { $m='755' };
if ($y -ne '!') { $t=[Math]::Floor(([IO.File]::GetLastWriteTimeUtc($f).Ticks-621355968000000000)/10000000) };
if ($y -eq 'f') { $z=(New-Object IO.FileInfo $f).Length };
o ':-';
o ([Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($i+[char]9+$y+[char]9+$m+[char]9+$t+[char]9+$z+[char]0+$n+[char]0+[char]0))) };
function w($i,$r,$d) {
foreach ($f in [IO.Directory]::GetFileSystemEntries($d)) {
$y=(k $f);
e $i $y $f ($f.Substring($r.Length).TrimStart('\').Replace('\','/'));
if ($y -eq 'd') { try { w $i $r $f } catch { e $i 'x' $f ($f.Substring($r.Length).TrimStart('\').Replace('\','/')) } } } };
function one($i,$p) {
try {
$y=(k $p); if ($y -eq 'o' -and [IO.Directory]::Exists($p)) { $y='d' };
e $i $y $p ''; if ($y -eq 'd' -and $Recurse) { w $i $p $p }
} catch { e $i '!' $p $_.Exception.Message } };
o ':t t z Windows';
`

// readerScriptPS is the f of readerScript, for ranges that fit into memory.
const readerScriptPS = preludePS + `
function f($i,$o,$n,$p,$w) {
try {
$s=[IO.File]::Open($p,'Open','Read','ReadWrite');
try { $null=$s.Seek($o,'Begin'); $b=New-Object byte[] $n; $k=0; if ($n -gt 0) { $k=$s.Read($b,0,$n) } } finally { $s.Close() };
o (':r '+$i+' '+$o);
o ([Convert]::ToBase64String($b,0,$k));
o (':s '+$i+' '+(hs $b $k));
if ($w) { o (':w '+$i+' '+(hf $p)) }
} catch { o (':e '+$i+' '+$_.Exception.Message) } };
`

// workerScriptPS has the functions of workerScript that a textWorker needs.
const workerScriptPS = preludePS + `
function say($t) { o ($TagK+' '+$t) };
function stage($d,$q,$n,$keep) {
$p=$q; $k='none';
if ([IO.Directory]::Exists($d)) { $k='dir'; $p=$d } elseif ([IO.File]::Exists($d)) { $k='file' };
if (-not [IO.Directory]::Exists($p)) { throw ('no such folder: '+$p) };
$null=[IO.Directory]::CreateDirectory($p+'\'+$n+'\t');
say ('begun - '+$k) };
function chk($n) {
if ([IO.Directory]::Exists($Parent+'\'+$n)) { say 'is dir' } elseif ([IO.File]::Exists($Parent+'\'+$n)) { say 'is file' } else { say 'is none' } };
function mk($d) { $null=[IO.Directory]::CreateDirectory($d); say 'ok' };
function drop($f) { [IO.File]::Delete($f); say 'ok' };
function mod($n,$m) { say 'ok' };
function put($f,$u,$seek,$n,$z,$x) {
$s=[IO.File]::Open($f,'OpenOrCreate');
try { $null=$s.Seek($seek*$u,'Begin'); $b=[Convert]::FromBase64String($x); $s.Write($b,0,$b.Length) } finally { $s.Close() };
say 'ok' };
function sum($f) { say ('sum '+(hf $f)) };
function meta($f,$m,$t) {
if ([IO.Directory]::Exists($f)) { [IO.Directory]::SetLastWriteTimeUtc($f,$t) } else { [IO.File]::SetLastWriteTimeUtc($f,$t) };
say 'ok' };
function mg($a,$b,$n) {
foreach ($f in [IO.Directory]::GetFileSystemEntries($a)) {
$t=[IO.Path]::Combine($b,[IO.Path]::GetFileName($f));
if ([IO.Directory]::Exists($f)) {
if ([IO.Directory]::Exists($t)) { mg $f $t $n }
elseif ([IO.File]::Exists($t)) { if (-not $n) { throw ($t+': is not a folder') } }
else { [IO.Directory]::Move($f,$t) }
} elseif ([IO.Directory]::Exists($t)) { throw ($t+': is a folder') }
elseif (-not ($n -and [IO.File]::Exists($t))) { [IO.File]::Delete($t); [IO.File]::Move($f,$t) } } };
function fin($n) { mg ($Stage+'\t') $Parent $n; [IO.Directory]::Delete($Stage,$true); say 'done' };
function bye { say 'bye' };
`

func (s *Service) listWindows(ctx context.Context, node Node, paths []string, recursive bool) (*listing, error) {
	var script strings.Builder
	script.WriteString(powershell(listScriptPS))
	if recursive {
		script.WriteString("$Recurse=$true; ")
	}
	for i, p := range paths {
		fmt.Fprintf(&script, "one '%d' %s; ", i, quotePathPS(p))
	}
	return s.runList(ctx, node, paths, recursive, script.String()+endPS)
}

// windowsWord is remoteWord.
func windowsWord(source, name string) string {
	if name != "" {
		source = strings.TrimRight(source, `/\`) + `\` + name
	}
	return quotePathPS(source)
}

// windowsScript bounds a script, in bytes.
const windowsScript = 28 << 10

func (d *download) batchWindows(jobs []*job) (n int, script string) {
	var b strings.Builder
	b.WriteString(powershell(readerScriptPS))
	for ; n < len(jobs) && (n == 0 || b.Len() < windowsScript-1024); n++ {
		j := jobs[n]
		fmt.Fprintf(&b, "f '%d' %d %d %s", n, j.off, j.n, j.f.word)
		if j.whole {
			b.WriteString(" 1")
		}
		b.WriteString("; ")
	}
	return n, b.String() + endPS
}
