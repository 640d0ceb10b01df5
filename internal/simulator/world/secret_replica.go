package world

import (
	"slices"
	"strings"
)

// replicas are the secrets of other Regions of the account that are kept in this one, as
// they look here. The locks of the others are taken one at a time, with none held.
func (w *World) replicas() (list []Secret) {
	for _, p := range w.peers {
		if p == w || p.sc.Account != w.sc.Account {
			continue
		}
		for _, s := range p.ownSecrets() {
			i := slices.IndexFunc(s.Replicas, func(r SecretReplica) bool { return r.Region == w.sc.Region })
			if i < 0 || !s.Deletes.IsZero() {
				continue
			}
			s.ARN = strings.Replace(s.ARN, ":"+p.sc.Region+":", ":"+w.sc.Region+":", 1)
			s.KeyID, s.Primary, s.Replicas = s.Replicas[i].KeyID, p.sc.Region, nil
			list = append(list, s)
		}
	}
	return list
}

// replica finds one of them by name or ARN.
func (w *World) replica(id string) (Secret, bool) {
	list := w.replicas()
	i := slices.IndexFunc(list, func(s Secret) bool { return s.Name == id || s.ARN == id || s.ARN[:len(s.ARN)-7] == id })
	if i < 0 {
		return Secret{}, false
	}
	return list[i], true
}

// notHere is the error of a change of a secret that is not there: of a replica it is
// another one.
func (w *World) notHere(id string) error {
	if _, ok := w.replica(id); ok {
		return Errorf("InvalidRequestException", "Operation not permitted on a replica secret. Call must be made in primary secret's region.")
	}
	return noSecret()
}
