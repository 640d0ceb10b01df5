# Installs SSM Agent and registers this machine as a managed node.
#
#   activation  @ID@ in @REGION@
#   registers   @LIMIT@
#   until       @EXPIRES@
#
# The code below lets a machine join: keep this file from others, and delete it
# when the machines are registered. Run it in an elevated PowerShell. It may be run
# again: a machine that is registered stays what it is, unless the environment
# variable REREGISTER is 1.
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'

$activationId = @ID_QUOTED@
$activationCode = @CODE_QUOTED@
$region = @REGION_QUOTED@
$bucket = "https://amazon-ssm-$region.s3.$region.@DOMAIN@"

$me = New-Object Security.Principal.WindowsPrincipal([Security.Principal.WindowsIdentity]::GetCurrent())
if (-not $me.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) {
    throw 'run this in a PowerShell that was started as administrator'
}
[Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12

$arch = 'amd64'
if (-not [Environment]::Is64BitOperatingSystem) { $arch = '386' }
$work = Join-Path $env:TEMP ('ssm-' + [Guid]::NewGuid())
New-Item -ItemType Directory -Path $work | Out-Null
try {
    $setup = Join-Path $work 'ssm-setup-cli.exe'
    Invoke-WebRequest -UseBasicParsing -Uri "$bucket/latest/windows_$arch/ssm-setup-cli.exe" -OutFile $setup
    if ((Get-AuthenticodeSignature $setup).Status -eq 'HashMismatch') { throw 'ssm-setup-cli.exe was changed on its way' }

    # It verifies the signature of the agent, installs, registers and starts it.
    $arguments = @('-register', '-activation-code', $activationCode, '-activation-id', $activationId, '-region', $region)
    if ($env:REREGISTER -eq '1') { $arguments += '-override' }
    & $setup @arguments
    if ($LASTEXITCODE -ne 0) { throw "ssm-setup-cli.exe ended with status $LASTEXITCODE" }
} finally {
    Remove-Item -Recurse -Force -ErrorAction SilentlyContinue $work
}
Write-Host "install: done; the node shows up in ssmdeck activation watch $activationId"
