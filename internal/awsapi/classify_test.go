package awsapi

import (
	"encoding/csv"
	"os"
	"testing"
)

func TestWritesAgreesWithTheOperationsTable(t *testing.T) {
	f, err := os.Open("testdata/ssm-operations.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 155 || rows[0][0] != "operation" || rows[0][2] != "reads_or_writes" {
		t.Fatalf("unexpected table: %d rows, head %v", len(rows), rows[0])
	}
	for _, row := range rows[1:] {
		if got, want := Writes(row[0]), row[2] == "writes"; got != want {
			t.Errorf("Writes(%s) = %v, the table says %s", row[0], got, row[2])
		}
	}
}

func TestWritesBeyondSSM(t *testing.T) {
	for op, want := range map[string]bool{
		"GetCallerIdentity": false, "FilterLogEvents": false, "AssumeRole": false, "GenerateDataKey": false, "Decrypt": false,
		"SimulatePrincipalPolicy": false, "CreateVpcEndpoint": true, "AttachRolePolicy": true, "PutMetricData": true, "RunInstances": true, "": true, "SomethingNew": true,
	} {
		if got := Writes(op); got != want {
			t.Errorf("Writes(%q) = %v, want %v", op, got, want)
		}
	}
}

func TestWhatMayBeRepeated(t *testing.T) {
	for op, want := range map[string]bool{
		"DescribeInstanceInformation": true, "GetCommandInvocation": true, "CreateMaintenanceWindow": true,
		"TerminateSession": true, "ResumeSession": true, "CancelCommand": true, "DeleteParameter": true,
		"SendCommand": false, "StartSession": false, "StartAutomationExecution": false, "PutParameter": false,
		"CreateActivation": false, "SendAutomationSignal": false,
	} {
		if got := repeatable(op); got != want {
			t.Errorf("repeatable(%s) = %v, want %v", op, got, want)
		}
	}
}
