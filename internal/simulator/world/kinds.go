package world

import (
	"crypto/rand"
	"encoding/hex"
)

// The kinds of resources that are kept as records, each with what its id is.
const (
	KindWindow             = "window"              // mw-…
	KindWindowTarget       = "window target"       // UUID
	KindWindowTask         = "window task"         // UUID
	KindBaseline           = "baseline"            // pb-…
	KindPatchGroup         = "patch group"         // operating system and group
	KindDefaultBaseline    = "default baseline"    // operating system
	KindAssociation        = "association"         // UUID
	KindAssociationRun     = "association run"     // UUID
	KindAssociationVersion = "association version" // association and version
	KindOpsItem            = "opsitem"             // oi-…
	KindOpsItemEvent       = "opsitem event"       // UUID
	KindRelatedItem        = "related item"        // UUID
	KindOpsMetadata        = "opsmetadata"         // ARN
	KindPolicy             = "policy"              // ARN and UUID
	KindSync               = "sync"                // type and name
	KindInventory          = "inventory"           // node and type
	KindInventoryDeletion  = "inventory deletion"  // UUID
	KindCompliance         = "compliance"          // resource and type
	KindCloudConnector     = "cloud connector"     // cc-…
	KindPreview            = "execution preview"   // UUID
	KindToken              = "client token"        // operation and token
)

// NewUUID returns a random version 4 UUID.
func NewUUID() string { return newUUID() }

// NewHexID returns a prefix and random hexadecimal digits: mw-0c50858d01EXAMPLE.
func NewHexID(prefix string, digits int) string {
	b := make([]byte, (digits+1)/2)
	_, _ = rand.Read(b) // never fails
	return prefix + hex.EncodeToString(b)[:digits]
}
