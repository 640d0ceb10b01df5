package fleet

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// Part is a set of facts about nodes that costs calls of its own.
type Part uint8

// The parts. EC2 brings the tags of instances along; those of hybrid nodes take
// a call each.
const (
	PartEC2   Part = 1 << iota // state, VPC, subnet, zone, image, launch
	PartTags                   // of hybrid nodes; with PartEC2 of all
	PartPatch                  // what the last patching found
)

// names are the parts as they stand in Node.Unknown.
var partNames = map[Part]string{PartEC2: "ec2", PartTags: "tags", PartPatch: "patch"}

func (p Part) String() string { return partNames[p] }

// Gap is a part that could not be read, of some or all nodes.
type Gap struct {
	Part  Part
	Nodes int // how many it is unknown of
	Err   error
}

// Instance is an EC2 instance.
type Instance struct {
	ID, Type, State, AZ, VPC, Subnet, Image, IP, Platform string
	Launched                                              time.Time
	Tags                                                  map[string]string
}

// Instances is what the fleet needs of EC2.
type Instances interface {
	// Described returns the instances of the account that have these ids, all of
	// them when ids is nil. Ids that do not exist are left out.
	Described(ctx context.Context, ids []string) ([]Instance, error)
	// SetTags and RemoveTags change the tags of up to 1000 instances; all or none.
	SetTags(ctx context.Context, ids []string, tags map[string]string) error
	RemoveTags(ctx context.Context, ids, keys []string) error
}

// Sizes and limits of the calls that join.
const (
	sweepFrom  = 1000 // from so many instances on all of the account are read
	patchIDs   = 50   // ids of one DescribeInstancePatchStates
	bulkFrom   = 20   // from more hybrid nodes on their tags are read at once
	fewHybrids = 40   // of so many the tags are read rather than a fleet paged through
)

// Table lists the nodes that match q, joined with the parts asked for and those
// its filter needs. What may not be read is a Gap; a filter that needs it is an
// error, because it can be neither true nor false.
func (s *Service) Table(ctx context.Context, q Query, parts Part) ([]Node, []Gap, error) {
	filter := q.Filter
	q.Filter = Filter{}
	parts |= filter.Parts()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	// A sweep of EC2 need not wait for the list.
	var sweep *swept
	if parts&PartEC2 != 0 && s.ec2 != nil && q.IDs == nil && q.Tags == nil {
		sweep = s.sweep(ctx)
		defer sweep.wait()
	}
	nodes, err := All(s.List(ctx, q))
	if err != nil {
		cancel()
		return nil, nil, err
	}
	if err := s.answerable(filter, nodes); err != nil {
		cancel()
		return nil, nil, err
	}
	gaps, err := s.join(ctx, nodes, parts, sweep)
	if err != nil {
		return nil, nil, err
	}
	if err := filter.possible(gaps); err != nil {
		return nil, nil, err
	}
	nodes, err = s.Narrow(ctx, nodes, filter)
	return nodes, gaps, err
}

// Join fills the parts of nodes in.
func (s *Service) Join(ctx context.Context, nodes []Node, parts Part) ([]Gap, error) {
	return s.join(ctx, nodes, parts, nil)
}

// joined fills in what filter needs.
func (s *Service) joined(ctx context.Context, nodes []Node, filter Filter) ([]Node, error) {
	if err := s.answerable(filter, nodes); err != nil {
		return nil, err
	}
	parts := filter.Parts()
	if parts == 0 {
		return nodes, nil
	}
	gaps, err := s.join(ctx, nodes, parts, nil)
	if err != nil {
		return nil, err
	}
	return nodes, filter.possible(gaps)
}

func (s *Service) join(ctx context.Context, nodes []Node, parts Part, sweep *swept) ([]Gap, error) {
	if parts&PartEC2 != 0 && parts&PartTags == 0 {
		for i := range nodes { // lest they look as if they had none
			if nodes[i].Hybrid() && nodes[i].Tags == nil {
				nodes[i].unknown(PartTags)
			}
		}
	}
	var gaps []Gap
	for _, one := range []struct {
		part Part
		run  func() (Gap, error)
	}{
		{PartEC2, func() (Gap, error) { return s.joinEC2(ctx, nodes, sweep) }},
		{PartTags, func() (Gap, error) { return s.joinTags(ctx, nodes) }},
		{PartPatch, func() (Gap, error) { return s.joinPatch(ctx, nodes) }},
	} {
		if parts&one.part == 0 {
			continue
		}
		gap, err := one.run()
		if err != nil {
			return nil, err
		}
		if gap.Err != nil {
			gap.Part = one.part
			gaps = append(gaps, gap)
		}
	}
	return gaps, nil
}

// swept is a sweep of EC2 under way.
type swept struct {
	group wait.Group
	found []Instance
	err   error
}

func (s *Service) sweep(ctx context.Context) *swept {
	w := &swept{}
	w.group.Go(func() { w.found, w.err = s.ec2.Described(ctx, nil) })
	return w
}

func (w *swept) wait() { w.group.Wait() }

// errNoEC2 is why nothing is known where the service was made without EC2.
var errNoEC2 = errors.New("EC2 is not asked here")

func (s *Service) joinEC2(ctx context.Context, nodes []Node, sweep *swept) (Gap, error) {
	at := map[string]int{}
	var ids []string
	for i, n := range nodes {
		if n.Instance() {
			at[n.ID] = i
			ids = append(ids, n.ID)
		}
	}
	if len(ids) == 0 {
		return Gap{}, nil
	}
	var found []Instance
	err := errNoEC2
	switch {
	case sweep != nil:
		sweep.wait()
		found, err = sweep.found, sweep.err
	case s.ec2 != nil && len(ids) >= sweepFrom:
		found, err = s.ec2.Described(ctx, nil)
	case s.ec2 != nil:
		found, err = s.ec2.Described(ctx, ids)
	}
	if err != nil {
		if !withheld(err) && !unreached(ctx, err) {
			return Gap{}, err
		}
		for _, i := range at {
			nodes[i].unknown(PartEC2)
		}
		return Gap{Nodes: len(ids), Err: err}, nil
	}
	for _, i := range found {
		if k, ok := at[i.ID]; ok {
			nodes[k].on(i)
			delete(at, i.ID)
		}
	}
	for _, k := range at { // gone since, or not ours to see
		nodes[k].unknown(PartEC2)
	}
	if len(at) > 0 {
		return Gap{Nodes: len(at), Err: fault.New(fault.NotFound, "join with EC2", "EC2 does not know %s", count(len(at), "node"))}, nil
	}
	return Gap{}, nil
}

// on takes over what EC2 knows.
func (n *Node) on(i Instance) {
	n.Name = cmp.Or(i.Tags["Name"], n.Name)
	n.InstanceType = cmp.Or(i.Type, n.InstanceType)
	n.State, n.AZ, n.VPC, n.Subnet, n.Image, n.Launched = i.State, i.AZ, i.VPC, i.Subnet, i.Image, i.Launched
	n.Tags = i.Tags
}

func (n *Node) unknown(p Part) {
	if !slices.Contains(n.Unknown, p.String()) {
		n.Unknown = append(n.Unknown, p.String())
	}
}

// Lacks reports whether a part of the node could not be read.
func (n Node) Lacks(p Part) bool { return slices.Contains(n.Unknown, p.String()) }

func (s *Service) joinTags(ctx context.Context, nodes []Node) (Gap, error) {
	var hybrid []int
	for i, n := range nodes {
		if n.Hybrid() && n.Tags == nil {
			hybrid = append(hybrid, i)
		}
	}
	if len(hybrid) > bulkFrom && s.bulk != nil {
		tags, err := s.bulkTags(ctx)
		switch {
		case err == nil:
			for _, i := range hybrid {
				nodes[i].Tags = tags[nodes[i].ID]
			}
			return Gap{}, nil
		case !withheld(err) && !unreached(ctx, err):
			return Gap{}, err
		}
	}
	var mu sync.Mutex
	var gap Gap
	err := awsapi.Parallel(ctx, len(hybrid), func(ctx context.Context, k int) error {
		n := &nodes[hybrid[k]]
		tags, err := s.Tags(ctx, n.ID)
		if err != nil && withheld(err) {
			mu.Lock()
			defer mu.Unlock()
			gap.Nodes++
			gap.Err = cmp.Or(gap.Err, err)
			n.unknown(PartTags)
			return nil
		}
		n.Tags = tags
		return err
	})
	return gap, err
}

// bulkTags returns the tags of all hybrid nodes that have or had any, by id, from
// the tagging API, which follows changes within seconds.
func (s *Service) bulkTags(ctx context.Context) (map[string]map[string]string, error) {
	const op = "read the tags of hybrid nodes"
	found := map[string]map[string]string{}
	in := &resourcegroupstaggingapi.GetResourcesInput{ResourceTypeFilters: []string{"ssm:managed-instance"}, ResourcesPerPage: aws.Int32(100)}
	for {
		out, err := s.bulk().GetResources(ctx, in)
		if err != nil {
			return nil, awsapi.Explain(op, err)
		}
		for _, r := range out.ResourceTagMappingList {
			arn := aws.ToString(r.ResourceARN)
			tags := make(map[string]string, len(r.Tags))
			for _, t := range r.Tags {
				tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
			}
			found[arn[strings.LastIndexByte(arn, '/')+1:]] = tags
		}
		switch token := aws.ToString(out.PaginationToken); {
		case token == "":
			return found, nil
		case token == aws.ToString(in.PaginationToken):
			return nil, fault.New(fault.Failed, op, "the service gave the same page twice")
		}
		in.PaginationToken = out.PaginationToken
	}
}

// PatchState is what the last scan or installation of a node found. Each one
// overwrites what the one before found.
type PatchState struct {
	Baseline  string    `json:"baseline"`
	Group     string    `json:"group,omitempty"`
	Operation string    `json:"operation"` // Scan, Install
	Started   time.Time `json:"started,omitzero"`
	Ended     time.Time `json:"ended,omitzero"`
	Reboot    string    `json:"reboot_option,omitempty"` // RebootIfNeeded, NoReboot
	Snapshot  string    `json:"snapshot,omitempty"`
	Overrides string    `json:"install_override_list,omitempty"` // S3 or https

	Installed      int `json:"installed"`
	InstalledOther int `json:"installed_other"`
	Missing        int `json:"missing"`
	Failed         int `json:"failed"`
	PendingReboot  int `json:"pending_reboot"`
	Rejected       int `json:"installed_rejected"`
	NotApplicable  int `json:"not_applicable"`
	Available      int `json:"available_security_updates"` // on Windows: not yet approved

	// Of the patches that are not as they should be, by what the baseline says:
	// level CRITICAL, classification security, all others.
	Critical int `json:"critical_noncompliant"`
	Security int `json:"security_noncompliant"`
	Other    int `json:"other_noncompliant"`
}

// NonCompliant is how many patches of a node are not as they should be (User
// Guide, "Understanding patch compliance state values").
func (p PatchState) NonCompliant() int { return p.Missing + p.Failed + p.PendingReboot + p.Rejected }

func (s *Service) joinPatch(ctx context.Context, nodes []Node) (Gap, error) {
	at := map[string]int{}
	for i, n := range nodes {
		at[n.ID] = i
	}
	chunks := slices.Collect(slices.Chunk(ids(nodes), patchIDs))
	var mu sync.Mutex
	var gap Gap
	err := awsapi.Parallel(ctx, len(chunks), func(ctx context.Context, k int) error {
		in := &ssm.DescribeInstancePatchStatesInput{InstanceIds: chunks[k], MaxResults: aws.Int32(patchIDs)}
		for {
			out, err := s.api.DescribeInstancePatchStates(ctx, in)
			mu.Lock()
			if err != nil {
				defer mu.Unlock()
				err = awsapi.Explain("read the patch states", err)
				if !withheld(err) {
					return err
				}
				gap.Nodes += len(chunks[k])
				gap.Err = cmp.Or(gap.Err, err)
				for _, id := range chunks[k] {
					nodes[at[id]].Patch = nil
					nodes[at[id]].unknown(PartPatch)
				}
				return nil
			}
			for _, p := range out.InstancePatchStates {
				i, ok := at[aws.ToString(p.InstanceId)]
				switch {
				case !ok:
				case p.Operation == "" && p.OperationEndTime == nil: // or else it would lack no patch
					gap.Nodes++
					gap.Err = cmp.Or(gap.Err, error(fault.New(fault.Service, "read the patch states", "the service says of no scan or installation what it found")))
					nodes[i].unknown(PartPatch)
				default:
					nodes[i].Patch = patchState(p)
				}
			}
			mu.Unlock()
			if aws.ToString(out.NextToken) == "" {
				return nil
			}
			if in.NextToken != nil && *in.NextToken == *out.NextToken {
				return fault.New(fault.Failed, "read the patch states", "the service gave the same page twice")
			}
			in.NextToken = out.NextToken
		}
	})
	return gap, err
}

func patchState(p types.InstancePatchState) *PatchState {
	return &PatchState{
		Baseline: aws.ToString(p.BaselineId), Group: aws.ToString(p.PatchGroup), Operation: string(p.Operation),
		Started: aws.ToTime(p.OperationStartTime), Ended: aws.ToTime(p.OperationEndTime), Reboot: string(p.RebootOption),
		Snapshot: aws.ToString(p.SnapshotId), Overrides: aws.ToString(p.InstallOverrideList),
		Installed: int(p.InstalledCount), InstalledOther: int(p.InstalledOtherCount), Missing: int(p.MissingCount),
		Failed: int(p.FailedCount), NotApplicable: int(p.NotApplicableCount) + int(aws.ToInt32(p.UnreportedNotApplicableCount)),
		PendingReboot: int(aws.ToInt32(p.InstalledPendingRebootCount)), Rejected: int(aws.ToInt32(p.InstalledRejectedCount)),
		Available: int(aws.ToInt32(p.AvailableSecurityUpdateCount)), Critical: int(aws.ToInt32(p.CriticalNonCompliantCount)),
		Security: int(aws.ToInt32(p.SecurityNonCompliantCount)), Other: int(aws.ToInt32(p.OtherNonCompliantCount)),
	}
}

// withheld reports whether an error means that something is not ours to read,
// rather than that all is lost: no right to it, or a service that is not there.
func withheld(err error) bool {
	var api smithy.APIError
	var resp *awshttp.ResponseError
	if errors.As(err, &resp) && (resp.HTTPStatusCode() == http.StatusNotFound || resp.HTTPStatusCode() == http.StatusNotImplemented) {
		return true // an emulator that does not know the service
	}
	if errors.As(err, &api) {
		switch code := api.ErrorCode(); {
		case code == "UnauthorizedOperation", strings.HasPrefix(code, "AccessDenied"), strings.HasPrefix(code, "UnknownOperation"),
			strings.HasPrefix(code, "UnsupportedOperation"), code == "InvalidAction":
			return true
		case code == "UnknownError": // what answered is not that service
			return true
		}
	}
	return errors.Is(err, errNoEC2)
}

// unreached reports whether a service beside Systems Manager did not answer at all, as
// in a network that has VPC endpoints for Systems Manager alone: the nodes are known
// without it. It is not so when we gave up ourselves.
func unreached(ctx context.Context, err error) bool {
	var send *smithyhttp.RequestSendError
	return ctx.Err() == nil && errors.As(err, &send)
}

// Unmanaged returns the EC2 instances that run and that Systems Manager does not
// know, sorted.
func (s *Service) Unmanaged(ctx context.Context) ([]Node, error) {
	const op = "find unmanaged instances"
	if s.ec2 == nil {
		return nil, fault.New(fault.Failed, op, "%w", errNoEC2)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sweep := s.sweep(ctx)
	defer sweep.wait()
	managed := map[string]bool{}
	for n, err := range s.everything(ctx) {
		if err != nil {
			cancel()
			return nil, reword(op, err)
		}
		managed[n.ID] = true
	}
	if sweep.wait(); sweep.err != nil {
		return nil, reword(op, sweep.err)
	}
	var out []Node
	for _, i := range sweep.found {
		if i.State == "running" && !managed[i.ID] {
			n := Node{ID: i.ID, IP: i.IP, Platform: i.Platform, ResourceType: "EC2Instance"}
			n.on(i)
			out = append(out, n)
		}
	}
	Sort(out)
	return out, nil
}
