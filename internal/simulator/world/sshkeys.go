package world

import (
	"slices"
	"strings"
	"time"
)

// sshKeyLife is how long a pushed key can be used (EC2 Instance Connect API
// reference, SendSSHPublicKey).
const sshKeyLife = 60 * time.Second

// sshKey is a public key that lets somebody in as a user of a node.
type sshKey struct {
	node, user, key string
	until           time.Time
}

// PushSSHKey makes key usable on an EC2 node for 60 seconds. Hybrid nodes are
// unknown to EC2.
func (w *World) PushSSHKey(node, user, key string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.nodes[node] == nil || !strings.HasPrefix(node, "i-") {
		return Errorf("EC2InstanceNotFoundException", "The specified instance %s was not found.", node)
	}
	now := w.now()
	w.sshKeys = slices.DeleteFunc(w.sshKeys, func(k sshKey) bool { return !now.Before(k.until) })
	w.sshKeys = append(w.sshKeys, sshKey{node, user, key, now.Add(sshKeyLife)})
	return nil
}

// SSHKeys returns the keys that let user into node now, the newest last.
func (w *World) SSHKeys(node, user string) (keys []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, k := range w.sshKeys {
		if k.node == node && k.user == user && w.now().Before(k.until) {
			keys = append(keys, k.key)
		}
	}
	return keys
}
