package world

import (
	"strings"
	"testing"
)

func TestReplicasAreReadInTheirRegion(t *testing.T) {
	make := func(region string) *World {
		sc, err := ParseScenario("test", []byte("region: "+region))
		if err != nil {
			t.Fatal(err)
		}
		w, err := New(sc, Config{Machine: nil})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = w.Close() })
		return w
	}
	east, west := make("us-east-1"), make("eu-west-1")
	east.SetPeers([]*World{east, west})
	west.SetPeers([]*World{east, west})
	value := "v1"
	made, err := east.CreateSecret(NewSecret{Name: "s", Text: &value})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := west.SecretValue("s", "", ""); err == nil {
		t.Error("read without a replica")
	}
	if _, err := east.ReplicateSecret("s", []SecretReplica{{Region: "eu-west-1"}}, false); err != nil {
		t.Fatal(err)
	}
	value = "v2"
	if _, err := east.PutSecretValue("s", "", &value, nil, nil); err != nil {
		t.Fatal(err)
	}
	there := strings.Replace(made.ARN, "us-east-1", "eu-west-1", 1)
	for _, id := range []string{"s", there, there[:len(there)-7]} {
		s, v, err := west.SecretValue(id, "", "")
		if err != nil || *v.Text != "v2" || s.ARN != there || s.Primary != "us-east-1" {
			t.Errorf("%s: %+v, %v", id, s, err)
		}
	}
	if list := west.Secrets(); len(list) != 1 || list[0].ARN != there {
		t.Errorf("listed: %+v", list)
	}
	if _, err := west.PutSecretValue("s", "", &value, nil, nil); err == nil || !strings.Contains(err.Error(), "replica secret") {
		t.Errorf("a replica was changed: %v", err)
	}
	if _, _, err := west.DeleteSecret("s", 0, false); err == nil || !strings.Contains(err.Error(), "replica secret") {
		t.Errorf("a replica was deleted: %v", err)
	}
	if _, err := east.RemoveReplicas("s", []string{"eu-west-1"}); err != nil {
		t.Fatal(err)
	}
	if _, err := west.Secret("s"); err == nil {
		t.Error("the replica stays")
	}
}
