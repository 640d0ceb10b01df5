package world

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
)

// outputDocument has two steps of schema 2.2.
const outputDocument = `
buckets: [{name: out-bucket, region: us-west-2}]
documents:
  - name: Two
    content: |
      schemaVersion: "2.2"
      mainSteps:
        - {action: "aws:runShellScript", name: first, inputs: {runCommand: ["one"]}}
        - {action: "aws:runShellScript", name: second, inputs: {runCommand: ["two"]}}
`

func TestTheWholeOutputGoesToS3AndCloudWatch(t *testing.T) {
	much := strings.Repeat("0123456789\n", 5000)
	talk := func(_ context.Context, _ string, c shell.Command, sio shell.IO) (int, error) {
		_, _ = io.WriteString(sio.Stdout, c.Script+"\nhalf a ")
		_, _ = io.WriteString(sio.Stdout, "line\n"+much+"no end")
		_, _ = io.WriteString(sio.Stderr, "oops\n")
		return 3, nil
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fleet(1)+outputDocument, talk)
		id := send(t, w, script("id", func(r *CommandRequest) {
			r.S3Bucket, r.S3Prefix, r.LogGroup = "out-bucket", "a/b/", "/made/by/agents"
		}))
		synctest.Wait()
		key := "a/b/" + id + "/" + nodeName(0) + "/awsrunShellScript/0.awsrunShellScript/stdout"
		o, ok := w.Object("out-bucket", key)
		want := "id\nhalf a line\n" + much + "no end"
		if !ok || string(o.Data) != want {
			t.Errorf("S3 has %d bytes, want %d", len(o.Data), len(want))
		}
		inv, _ := w.Invocation(id, nodeName(0))
		if p := inv.Plugins[0]; p.StdoutURL != "https://s3.us-west-2.amazonaws.com/out-bucket/"+key || !strings.HasSuffix(p.Stdout, cutMark) {
			t.Errorf("the API tells %q and %d bytes", p.StdoutURL, len(p.Stdout))
		}
		for stream, want := range map[string]string{"stdout": want, "stderr": "oops\nfailed to run commands: exit status 3"} {
			s, err := w.LogEvents("/made/by/agents", id+"/"+nodeName(0)+"/aws-runShellScript/"+stream)
			var got []string
			for _, e := range s.Events {
				got = append(got, e.Message)
			}
			if err != nil || strings.Join(got, "\n") != want {
				t.Errorf("%s: %d events of %d bytes, %v", stream, len(got), len(strings.Join(got, "\n")), err)
			}
		}
	})
}

func TestStepsOfSchema2AreKeptByTheirNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fleet(1)+outputDocument, succeed)
		id := send(t, w, CommandRequest{DocumentName: "Two", InstanceIDs: []string{nodeName(0)}, S3Bucket: "out-bucket", LogGroup: "g"})
		synctest.Wait()
		var keys []string
		for _, o := range w.Objects("out-bucket", "") {
			keys = append(keys, o.Key+"="+string(o.Data))
		}
		at := id + "/" + nodeName(0)
		want := fmt.Sprint([]string{at + "/awsrunShellScript/first/stdout=one\n", at + "/awsrunShellScript/second/stdout=two\n"})
		if fmt.Sprint(keys) != want {
			t.Errorf("got %v, want %s", keys, want)
		}
		if _, err := w.LogEvents("g", at+"/second/stdout"); err != nil {
			t.Error(err)
		}
	})
}

func TestABucketThatDoesNotExistChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fleet(1), succeed)
		id := send(t, w, script("id", func(r *CommandRequest) { r.S3Bucket = "nowhere" }))
		synctest.Wait()
		if got := sum(t, w, id); !strings.HasPrefix(got, "Success/Success total=1 done=1") {
			t.Error(got)
		}
	})
}

func TestAScriptThatNamesItsInterpreterIsAFile(t *testing.T) {
	for in, file := range map[string]bool{
		"echo hi": false, "#!/bin/sh\necho hi": false, "#! /bin/sh\nx": false, "#!/usr/bin/env python3\nprint(1)": true,
		"#!/bin/bash\ncat <<SCRIPT_ENDS\nSCRIPT_ENDS\n": true,
	} {
		got := interpreted(in)
		if (got != in) != file || !strings.Contains(got, in) {
			t.Errorf("%q became %q", in, got)
		}
		if file && strings.Count(got, "\nSCRIPT_ENDS_HERE\n") == 0 && strings.Contains(in, "SCRIPT_ENDS") {
			t.Errorf("%q ends early in %q", in, got)
		}
	}
}
