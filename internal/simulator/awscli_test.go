package simulator

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// awsCLI returns a function that runs the AWS CLI on s and returns what it says.
func awsCLI(t *testing.T, s *Server, program, home string) func(args ...string) string {
	return func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Env = append(s.Env(), "PATH="+os.Getenv("PATH"), "HOME="+home, "AWS_PAGER=", "NO_PROXY=127.0.0.1")
		if root := os.Getenv("SYSTEMROOT"); root != "" {
			cmd.Env = append(cmd.Env, "SYSTEMROOT="+root)
		}
		out, err := cmd.CombinedOutput()
		if err != nil {
			out = append(out, err.Error()...)
		}
		return strings.TrimSpace(string(out))
	}
}

// TestTheAWSCLIReadsLogs does the same for where session logs are kept.
func TestTheAWSCLIReadsLogs(t *testing.T) {
	aws, err := exec.LookPath("aws")
	if err != nil || testing.Short() {
		t.Skip("no AWS CLI, or a short run")
	}
	sc, err := world.ParseScenario("test", []byte(`
nodes: [{id: i-00000000000000001}]
buckets: [{name: logs}, {name: far-logs, region: eu-west-1}]
log_groups: [{name: /ssm/sessions}]
`))
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, Options{Scenario: sc})
	s.World().PutObject("logs", "sess/me@x+1.log", []byte("hello"))
	s.World().PutObject("far-logs", "x.log", []byte("from afar"))
	s.World().PutLogEvent("/ssm/sessions", "me-1", "an event")
	run := awsCLI(t, s, aws, t.TempDir())
	for _, tt := range []struct{ args, want string }{
		{"s3 cp s3://logs/sess/me@x+1.log -", "hello"},
		{"s3 ls s3://logs --recursive", "5 sess/me@x+1.log"},
		{"s3 cp s3://far-logs/x.log -", "from afar"},
		{"s3 cp s3://logs/nosuch -", "404"},
		{"logs get-log-events --log-group-name /ssm/sessions --log-stream-name me-1 --query events[].message --output text", "an event"},
		{"ssm start-access-request --reason x --targets Key=InstanceIds,Values=i-00000000000000001 --query AccessRequestId --output text", "oi-"},
		{"ssm describe-ops-items --ops-item-filters Key=OpsItemType,Values=/aws/accessrequest,Operator=Equal --query OpsItemSummaries[].Status --output text", "Approved"},
	} {
		if got := run(strings.Fields(tt.args)...); !strings.Contains(got, tt.want) {
			t.Errorf("aws %s\ngot  %s\nwant %s", tt.args, got, tt.want)
		}
	}
}

// TestTheAWSCLIWorks is our proof that the wire formats are not merely what our
// own client expects. It needs the AWS CLI on the machine.
func TestTheAWSCLIWorks(t *testing.T) {
	aws, err := exec.LookPath("aws")
	if err != nil || testing.Short() {
		t.Skip("no AWS CLI, or a short run")
	}
	s := start(t, Options{})
	home := t.TempDir()
	run := awsCLI(t, s, aws, home)
	id := run("ssm", "send-command", "--document-name", "AWS-RunShellScript", "--targets", "Key=tag:role,Values=web", "--parameters", "commands=hostname", "--query", "Command.CommandId", "--output", "text")
	if len(id) != 36 {
		t.Fatalf("send-command: %s", id)
	}
	waitFor(t, s, id)
	key := filepath.Join(home, "key.pub")
	if err := os.WriteFile(key, []byte(publicKey), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ args, want string }{
		{"ssm describe-instance-information --filters Key=tag:Name,Values=web-1 --query InstanceInformationList[].InstanceId --output text", webNode},
		{"ssm list-command-invocations --details --command-id " + id + " --query length(CommandInvocations) --output text", "5"},
		{"ssm get-command-invocation --instance-id " + webNode + " --command-id " + id + " --query [Status,StandardOutputContent] --output text", "Success\tip-10-0-1-10"},
		{"ssm get-parameters-by-path --path /myapp/prod --query Parameters[].Name --output text", "/myapp/prod/db-password\t/myapp/prod/db-url\t/myapp/prod/feature-flags\t/myapp/prod/log-level"},
		{"ssm get-connection-status --target i-04b5c6d7e8f901234 --query Status --output text", "notconnected"},
		// The CLI looks for RDS at no address of the environment's.
		{"rds describe-db-clusters --endpoint-url " + s.URL() + " --query DBClusters[].DBClusterMembers[].DBInstanceIdentifier --output text", "orders-prod-1\torders-prod-2"},
		{"elasticache describe-replication-groups --query ReplicationGroups[].NodeGroups[].PrimaryEndpoint.Port --output text", "6379"},
		{"opensearch describe-domains --domain-names shop-logs --query DomainStatusList[].VPCOptions.SecurityGroupIds --output text", "sg-0da7aba5e00000004"},
		{"ec2 describe-instances --page-size 5 --filters Name=vpc-id,Values=vpc-0f1e2d3c4b5a69780 --query length(Reservations) --output text", "5\n2"},
		{"sts get-caller-identity --query Arn --output text", "arn:aws:iam::123456789012:user/demo"},
		{"ec2-instance-connect send-ssh-public-key --instance-id " + webNode + " --instance-os-user me --ssh-public-key file://" + key + " --query Success", "true"},
		{"ssm get-parameter --name /none", "(ParameterNotFound)"},
		{"ssm create-activation --iam-role x", "Nonexistent role"},
	} {
		if got := run(strings.Fields(tt.args)...); !strings.Contains(got, tt.want) {
			t.Errorf("aws %s\ngot  %s\nwant %s", tt.args, got, tt.want)
		}
	}
}
