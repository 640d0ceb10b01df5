package document

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

const (
	oldText = "schemaVersion: '2.2'\nmainSteps: [1]\n"
	newText = "schemaVersion: '2.2'\nmainSteps: [2]\n"
)

func source(t *testing.T, text string) Source {
	t.Helper()
	s, err := ReadSource("restart.yaml", []byte(text), "")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// stored describes the document of oldText in its second version of two; the
// first is the default.
func stored() *types.DocumentDescription {
	hash := Source{Text: oldText}.Hash()
	return &types.DocumentDescription{
		Name: aws.String("restart"), DocumentType: types.DocumentTypeCommand, DocumentFormat: types.DocumentFormatYaml,
		DocumentVersion: aws.String("2"), LatestVersion: aws.String("2"), DefaultVersion: aws.String("1"),
		Hash: aws.String(hash), HashType: types.DocumentHashTypeSha256, Status: types.DocumentStatusActive,
	}
}

func described(m *Mockapi, d *types.DocumentDescription, err error) *gomock.Call {
	return m.EXPECT().DescribeDocument(gomock.Any(), gomock.Any()).Return(&ssm.DescribeDocumentOutput{Document: d}, err)
}

func content(m *Mockapi, text string) *gomock.Call {
	return m.EXPECT().GetDocument(gomock.Any(), gomock.Any()).Return(&ssm.GetDocumentOutput{
		Content: aws.String(text), DocumentFormat: types.DocumentFormatYaml, DocumentVersion: aws.String("2"),
	}, nil)
}

func TestPlan(t *testing.T) {
	for name, c := range map[string]struct {
		wanted     Wanted
		missing    bool
		content    string // what the service has, when it is asked
		want       Action
		err        string
		differs    bool
		storedType types.DocumentType
	}{
		"a new one":                {wanted: Wanted{Name: "restart"}, missing: true, want: Created, differs: true},
		"a new one of no type":     {wanted: Wanted{Name: "restart", Source: Source{Path: "f", Format: FormatText, Text: "x"}}, missing: true, err: "cannot be told"},
		"the same bytes":           {wanted: Wanted{Name: "restart"}, want: Unchanged},
		"the same bytes, in use":   {wanted: Wanted{Name: "restart", SetDefault: true}, want: Defaulted},
		"other bytes, one meaning": {wanted: Wanted{Name: "restart", Source: source(t, "# now with a comment\n"+oldText)}, content: oldText, want: Unchanged},
		"another content":          {wanted: Wanted{Name: "restart", Source: source(t, newText)}, content: oldText, want: Updated, differs: true},
		"another type":             {wanted: Wanted{Name: "restart", Type: "Session"}, err: "cannot be changed to Session"},
		"a wrong schema":           {wanted: Wanted{Name: "restart"}, err: "schemaVersion 2.2", storedType: types.DocumentTypeSession},
		"a bad name":               {wanted: Wanted{Name: "AWS-mine"}, err: "kept for AWS"},
		"files that come with it":  {wanted: Wanted{Name: "restart", Attachments: []AttachmentSource{{}}}, want: Updated},
	} {
		t.Run(name, func(t *testing.T) {
			m := NewMockapi(gomock.NewController(t))
			d, err := stored(), error(nil)
			if c.storedType != "" {
				d.DocumentType = c.storedType
			}
			if c.missing {
				d, err = nil, &types.InvalidDocument{}
			}
			if c.wanted.Name == "restart" {
				described(m, d, err)
			}
			if c.content != "" {
				content(m, c.content)
			}
			if c.wanted.Source.Text == "" {
				c.wanted.Source = source(t, oldText)
			}
			p, err := New(m).Plan(t.Context(), c.wanted)
			if c.err != "" {
				if fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), c.err) {
					t.Errorf("%v, want %q", err, c.err)
				}
				return
			}
			if err != nil || p.Action != c.want || (len(p.Diff()) > 0) != c.differs || p.Wanted.Type != "Command" {
				t.Errorf("%s %s, %v, difference %q; want %s", p.Action, p.Wanted.Type, err, p.Diff(), c.want)
			}
		})
	}
}

func TestCarryWritesOnTopOfWhatWasSeen(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	m.EXPECT().UpdateDocument(gomock.Any(), &ssm.UpdateDocumentInput{
		Name: aws.String("restart"), Content: aws.String(newText), DocumentFormat: types.DocumentFormatYaml, DocumentVersion: aws.String("2"),
	}).Return(&ssm.UpdateDocumentOutput{DocumentDescription: &types.DocumentDescription{
		DocumentVersion: aws.String("3"), Status: types.DocumentStatusActive,
	}}, nil)
	m.EXPECT().UpdateDocumentDefaultVersion(gomock.Any(), &ssm.UpdateDocumentDefaultVersionInput{
		Name: aws.String("restart"), DocumentVersion: aws.String("3"),
	}).Return(&ssm.UpdateDocumentDefaultVersionOutput{}, nil)
	got, err := New(m).Carry(t.Context(), plan(t, true))
	want := Outcome{Name: "restart", Type: "Command", Action: Updated, Version: "3", Default: "3", Previous: "1", Path: "restart.yaml"}
	if err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
}

func plan(t *testing.T, setDefault bool) Plan {
	t.Helper()
	return Plan{
		Wanted: Wanted{Name: "restart", Type: "Command", Source: source(t, newText), SetDefault: setDefault},
		Action: Updated, Now: info(stored()),
	}
}

func TestCarryDoesNotOverwriteWhatOthersWroteMeanwhile(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	m.EXPECT().UpdateDocument(gomock.Any(), gomock.Any()).Return(nil, &types.InvalidDocumentVersion{})
	_, err := New(m).Carry(t.Context(), plan(t, false))
	if fault.KindOf(err) != fault.Failed || !strings.Contains(err.Error(), "somebody else") {
		t.Error(err)
	}
}

func TestCarryOfContentThatIsThereAlready(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	m.EXPECT().UpdateDocument(gomock.Any(), gomock.Any()).Return(nil, &types.DuplicateDocumentContent{})
	m.EXPECT().ListDocumentVersions(gomock.Any(), gomock.Any()).Return(&ssm.ListDocumentVersionsOutput{
		DocumentVersions: []types.DocumentVersionInfo{{DocumentVersion: aws.String("2")}, {DocumentVersion: aws.String("1"), IsDefaultVersion: true}},
	}, nil)
	first := stored()
	first.DocumentVersion, first.Hash = aws.String("1"), aws.String(Source{Text: newText}.Hash())
	gomock.InOrder(described(m, stored(), nil), described(m, first, nil))
	got, err := New(m).Carry(t.Context(), plan(t, true))
	if err != nil || got.Action != Unchanged || got.Version != "1" || got.Default != "1" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestCarryThatCannotMakeTheDefault(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	m.EXPECT().UpdateDocument(gomock.Any(), gomock.Any()).Return(&ssm.UpdateDocumentOutput{
		DocumentDescription: &types.DocumentDescription{DocumentVersion: aws.String("3"), Status: types.DocumentStatusActive},
	}, nil)
	m.EXPECT().UpdateDocumentDefaultVersion(gomock.Any(), gomock.Any()).Return(nil, errors.New("no"))
	_, err := New(m).Carry(t.Context(), plan(t, true))
	if err == nil || !strings.Contains(err.Error(), "version 3 is written and not the default") {
		t.Error(err)
	}
}

func TestCreateWaitsUntilTheServiceHasTakenItIn(t *testing.T) {
	p := Plan{Wanted: Wanted{Name: "restart", Type: "Command", Source: source(t, newText), Tags: []Tag{{"a", "b"}}}, Action: Created}
	state := func(s types.DocumentStatus, why string) *types.DocumentDescription {
		return &types.DocumentDescription{DocumentVersion: aws.String("1"), Status: s, StatusInformation: aws.String(why)}
	}
	for name, c := range map[string]struct {
		after   []*types.DocumentDescription
		timeout time.Duration
		kind    fault.Kind
		text    string
	}{
		"in time":  {after: []*types.DocumentDescription{state("Creating", ""), state("Active", "")}, timeout: time.Minute},
		"refused":  {after: []*types.DocumentDescription{state("Failed", "no such bucket")}, timeout: time.Minute, kind: fault.Failed, text: "no such bucket"},
		"too late": {after: []*types.DocumentDescription{state("Creating", "")}, timeout: 300 * time.Millisecond, kind: fault.Pending, text: "not active yet"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), c.timeout)
				defer cancel()
				m := NewMockapi(gomock.NewController(t))
				m.EXPECT().CreateDocument(gomock.Any(), gomock.Any()).DoAndReturn(
					func(_ context.Context, in *ssm.CreateDocumentInput, _ ...func(*ssm.Options)) (*ssm.CreateDocumentOutput, error) {
						if in.DocumentType != "Command" || in.DocumentFormat != "YAML" || *in.Content != newText || len(in.Tags) != 1 {
							t.Errorf("%+v", in)
						}
						return &ssm.CreateDocumentOutput{DocumentDescription: state("Creating", "")}, nil
					})
				for _, d := range c.after {
					described(m, d, nil)
				}
				got, err := New(m).Carry(ctx, p)
				if c.text == "" {
					if err != nil || got.Version != "1" || got.Default != "1" || got.Action != Created {
						t.Errorf("%+v, %v", got, err)
					}
					return
				}
				if fault.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.text) {
					t.Errorf("%v, want %v %q", err, c.kind, c.text)
				}
			})
		})
	}
}

func TestPackagesAreSentAsJSON(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	described(m, nil, &types.InvalidDocument{})
	src := source(t, "schemaVersion: '2.0'\npackages: {}\nfiles: {}\n")
	p, err := New(m).Plan(t.Context(), Wanted{Name: "agent", Source: src})
	if err != nil || p.Wanted.Type != "Package" || p.Wanted.Source.Format != FormatJSON || !strings.HasPrefix(p.Wanted.Source.Text, "{") {
		t.Errorf("%+v, %v", p.Wanted, err)
	}
}

func TestDeleteOfWhatAssociationsUse(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	m.EXPECT().DeleteDocument(gomock.Any(), &ssm.DeleteDocumentInput{Name: aws.String("restart"), DocumentVersion: aws.String("2"), Force: true}).
		Return(nil, &types.AssociatedInstances{})
	err := New(m).Delete(t.Context(), "restart", Ref{Number: "2"}, true)
	if fault.KindOf(err) != fault.Failed || !strings.Contains(fault.HintOf(err), "associations") {
		t.Errorf("%v, %s", err, fault.HintOf(err))
	}
}

func TestParseRef(t *testing.T) {
	for in, want := range map[string]Ref{
		"": {}, "latest": {Number: "$LATEST"}, "$latest": {Number: "$LATEST"}, "$DEFAULT": {Number: "$DEFAULT"}, "7": {Number: "7"},
		"v1.2_b-3": {Name: "v1.2_b-3"}, "1.2": {Name: "1.2"},
	} {
		if got, err := ParseRef(in); err != nil || got != want {
			t.Errorf("%q: %+v, %v", in, got, err)
		}
	}
	for _, in := range []string{"0", "007", "-1 ", "a b", "$NEWEST", strings.Repeat("a", 129)} {
		if got, err := ParseRef(in); fault.KindOf(err) != fault.Usage {
			t.Errorf("%q: %+v, %v", in, got, err)
		}
	}
}

func TestParseAttachment(t *testing.T) {
	for in, want := range map[string]AttachmentSource{
		"s3://b/folder":                      {Key: "SourceUrl", Values: []string{"s3://b/folder"}},
		"a.zip=s3://b/k":                     {Key: "S3FileUrl", Values: []string{"s3://b/k"}, Name: "a.zip"},
		"a.zip=other/2/a.zip":                {Key: "AttachmentReference", Values: []string{"other/2/a.zip"}, Name: "a.zip"},
		"https://b.s3.amazonaws.com/f?x=y":   {Key: "SourceUrl", Values: []string{"https://b.s3.amazonaws.com/f?x=y"}},
		"Key=SourceUrl,Values=s3://b/f":      {Key: "SourceUrl", Values: []string{"s3://b/f"}},
		"Key=S3FileUrl,Values=s3://b,Name=n": {Key: "S3FileUrl", Values: []string{"s3://b"}, Name: "n"},
	} {
		got, err := ParseAttachment(in)
		if err != nil || diff(want, got) != "" {
			t.Errorf("%q: %v %s", in, err, diff(want, got))
		}
	}
	for _, in := range []string{"", "file.zip", "s3://", "a=b", "Key=X,Values=y", "Key=S3FileUrl,Values=s3://b", "Key=SourceUrl", "Key=SourceUrl,Value=x"} {
		if got, err := ParseAttachment(in); fault.KindOf(err) != fault.Usage {
			t.Errorf("%q: %+v, %v", in, got, err)
		}
	}
}

func TestShareInCallsOfTwenty(t *testing.T) {
	var accounts []string
	for i := range 45 {
		accounts = append(accounts, strings.Repeat("0", 10)+string(rune('0'+i/10))+string(rune('0'+i%10)))
	}
	m := NewMockapi(gomock.NewController(t))
	var sizes []int
	calls := 0
	m.EXPECT().ModifyDocumentPermission(gomock.Any(), gomock.Any()).Times(3).DoAndReturn(
		func(_ context.Context, in *ssm.ModifyDocumentPermissionInput, _ ...func(*ssm.Options)) (*ssm.ModifyDocumentPermissionOutput, error) {
			sizes = append(sizes, len(in.AccountIdsToAdd))
			if calls++; calls == 3 {
				return nil, &types.DocumentPermissionLimit{}
			}
			if *in.SharedDocumentVersion != "$DEFAULT" || in.PermissionType != "Share" {
				t.Errorf("%+v", in)
			}
			return &ssm.ModifyDocumentPermissionOutput{}, nil
		})
	err := New(m).ShareWith(t.Context(), "restart", accounts, "$DEFAULT")
	if fault.KindOf(err) != fault.RemoteFailed || !strings.Contains(err.Error(), "40 of 45 accounts") || len(sizes) != 3 || sizes[2] != 5 {
		t.Errorf("%v, %v", err, sizes)
	}
}

func TestCheckAccounts(t *testing.T) {
	got, err := CheckAccounts([]string{"111122223333", " 111122223333", "444455556666"})
	if err != nil || len(got) != 2 {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := CheckAccounts([]string{"All"}); err != nil || got[0] != Everybody {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range [][]string{{"1234"}, {"all", "111122223333"}, {"arn:aws:iam::111122223333:root"}} {
		if _, err := CheckAccounts(bad); fault.KindOf(err) != fault.Usage {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestSharesAndVersionsAndReviewsHaveAllPages(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	gomock.InOrder(
		m.EXPECT().DescribeDocumentPermission(gomock.Any(), gomock.Any()).Return(&ssm.DescribeDocumentPermissionOutput{
			AccountIds: []string{"1"}, NextToken: aws.String("x"),
			AccountSharingInfoList: []types.AccountSharingInfo{{AccountId: aws.String("1"), SharedDocumentVersion: aws.String("3")}},
		}, nil),
		m.EXPECT().DescribeDocumentPermission(gomock.Any(), gomock.Any()).Return(&ssm.DescribeDocumentPermissionOutput{AccountIds: []string{"2"}}, nil),
	)
	shares, err := New(m).Shares(t.Context(), "restart")
	if err != nil || diff([]Share{{"1", "3"}, {"2", ""}}, shares) != "" {
		t.Errorf("%v, %v", shares, err)
	}
	gomock.InOrder(
		m.EXPECT().ListDocumentMetadataHistory(gomock.Any(), gomock.Any()).Return(&ssm.ListDocumentMetadataHistoryOutput{
			NextToken: aws.String("x"), Metadata: &types.DocumentMetadataResponseInfo{ReviewerResponse: []types.DocumentReviewerResponseSource{{
				Reviewer: aws.String("ann"), ReviewStatus: "PENDING", Comment: []types.DocumentReviewCommentSource{{Content: aws.String("a")}, {Content: aws.String("b")}},
			}}},
		}, nil),
		m.EXPECT().ListDocumentMetadataHistory(gomock.Any(), gomock.Any()).Return(&ssm.ListDocumentMetadataHistoryOutput{}, nil),
	)
	reviews, err := New(m).Reviews(t.Context(), "restart", "")
	if err != nil || len(reviews) != 1 || reviews[0].Comment != "a\nb" {
		t.Errorf("%v, %v", reviews, err)
	}
	m.EXPECT().UpdateDocumentMetadata(gomock.Any(), gomock.Any()).DoAndReturn(
		func(_ context.Context, in *ssm.UpdateDocumentMetadataInput, _ ...func(*ssm.Options)) (*ssm.UpdateDocumentMetadataOutput, error) {
			if in.DocumentReviews.Action != "SendForReview" || *in.DocumentReviews.Comment[0].Content != "please" || *in.DocumentVersion != "2" {
				t.Errorf("%+v", in)
			}
			return &ssm.UpdateDocumentMetadataOutput{}, nil
		})
	if err := New(m).Review(t.Context(), "restart", "2", "submit", "please"); err != nil {
		t.Error(err)
	}
}

func TestListSendsTheFiltersOfTheAPI(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	m.EXPECT().ListDocuments(gomock.Any(), gomock.Any()).DoAndReturn(
		func(_ context.Context, in *ssm.ListDocumentsInput, _ ...func(*ssm.Options)) (*ssm.ListDocumentsOutput, error) {
			var got []string
			for _, f := range in.Filters {
				got = append(got, *f.Key+"="+strings.Join(f.Values, ","))
			}
			if strings.Join(got, " ") != "Owner=ThirdParty DocumentType=Command,Automation PlatformTypes=MacOS Name=x tag:a=b" {
				t.Errorf("%q", got)
			}
			return &ssm.ListDocumentsOutput{DocumentIdentifiers: []types.DocumentIdentifier{{Name: aws.String("x1"), PlatformTypes: []types.PlatformType{"MacOS"}}}}, nil
		})
	f := Filter{Owner: "third-party", Types: []string{"command", "auto"}, Platforms: []string{"MacOS"}, Prefix: "x", Tags: []Tag{{"a", "b"}}}
	if _, err := f.input(); err == nil { // Automation and Automation.ChangeTemplate both begin so
		t.Error("auto is one of two types")
	}
	f.Types[1] = "automation"
	for d, err := range New(m).List(t.Context(), f) {
		if err != nil || d.Name != "x1" || d.Platforms[0] != "macos" {
			t.Errorf("%+v, %v", d, err)
		}
	}
	for name, bad := range map[string]Filter{
		"owner": {Owner: "me"}, "type": {Types: []string{"Comand"}}, "platform": {Platforms: []string{"solaris"}},
		"too many": {Prefix: "a", Search: "b", TargetType: "c", Owner: "self", Types: []string{"Command"}, Platforms: []string{"linux"}, Tags: []Tag{{"a", "b"}}},
	} {
		for _, err := range New(m).List(t.Context(), bad) {
			if fault.KindOf(err) != fault.Usage {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestContentIsAskedForAsItIsStored(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	described(m, stored(), nil)
	m.EXPECT().GetDocument(gomock.Any(), &ssm.GetDocumentInput{
		Name: aws.String("restart"), DocumentVersion: aws.String("2"), DocumentFormat: types.DocumentFormatYaml,
	}).Return(&ssm.GetDocumentOutput{Content: aws.String(oldText), DocumentFormat: types.DocumentFormatYaml}, nil)
	if c, err := New(m).Content(t.Context(), "restart", Ref{Name: "v2"}, ""); err != nil || c.Text != oldText {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestDescribeAsksOnce(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	described(m, &types.DocumentDescription{Name: aws.String("restart")}, nil).Times(1)
	s := New(m)
	for range 3 {
		if _, err := s.Describe(t.Context(), "restart", ""); err != nil {
			t.Fatal(err)
		}
	}
	described(m, nil, errors.New("no")).Times(2)
	for range 2 { // an error is not kept
		if _, err := s.Describe(t.Context(), "restart", "2"); err == nil {
			t.Error("want an error")
		}
	}
}

func TestListHasAllPages(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	page := func(token, next string, name string) *gomock.Call {
		return m.EXPECT().ListDocuments(gomock.Any(), gomock.Any()).DoAndReturn(
			func(_ context.Context, in *ssm.ListDocumentsInput, _ ...func(*ssm.Options)) (*ssm.ListDocumentsOutput, error) {
				if aws.ToString(in.NextToken) != token {
					t.Errorf("token %q, want %q", aws.ToString(in.NextToken), token)
				}
				return &ssm.ListDocumentsOutput{NextToken: optional(next), DocumentIdentifiers: []types.DocumentIdentifier{{Name: aws.String(name)}}}, nil
			})
	}
	gomock.InOrder(page("", "more", "a"), page("more", "", "b"))
	var names []string
	for d, err := range New(m).List(t.Context(), Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, d.Name)
	}
	if strings.Join(names, " ") != "a b" {
		t.Errorf("%q", names)
	}
	m.EXPECT().ListDocuments(gomock.Any(), gomock.Any()).Return(nil, &types.InvalidFilterKey{})
	for _, err := range New(m).List(t.Context(), Filter{}) {
		if fault.KindOf(err) != fault.Usage {
			t.Errorf("a refusal: %v", err)
		}
	}
}

func TestUploadsHaveAKeyOfTheirOwn(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "agent.zip")
	if err := os.WriteFile(file, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := ParseAttachment("linux.zip=" + file)
	if err != nil || a.Local != file || a.Name != "linux.zip" || a.Key != "S3FileUrl" {
		t.Fatalf("%+v, %v", a, err)
	}
	plainName, err := ParseAttachment(file)
	if err != nil || plainName.Name != "agent.zip" {
		t.Errorf("%+v, %v", plainName, err)
	}
	if _, err := ParseAttachment(dir); fault.KindOf(err) != fault.Usage {
		t.Errorf("a folder: %v", err)
	}
	var put []string
	u := &Uploads{putFunc(func(in *s3.PutObjectInput) error {
		body, err := io.ReadAll(in.Body)
		put = append(put, *in.Bucket+" "+*in.Key+" "+string(body))
		return err
	})}
	there := AttachmentSource{Key: "SourceUrl", Values: []string{"s3://b/f"}}
	got, err := u.Put(t.Context(), Bucket{"b", "p/q"}, []AttachmentSource{there, a})
	const key = "p/q/ba7816bf8f01cfea/linux.zip" // SHA-256 of abc
	want := []AttachmentSource{there, {Key: "S3FileUrl", Values: []string{"s3://b/" + key}, Name: "linux.zip"}}
	if err != nil || diff(want, got) != "" || len(put) != 1 || put[0] != "b "+key+" abc" {
		t.Errorf("%v, %s, %q", err, diff(want, got), put)
	}
	u.objects = putFunc(func(*s3.PutObjectInput) error { return &smithy.GenericAPIError{Code: "NoSuchBucket"} })
	if _, err := u.Put(t.Context(), Bucket{"b", ""}, []AttachmentSource{a}); fault.KindOf(err) != fault.NotFound {
		t.Error(err)
	}
	for _, bad := range []string{"", "bucket", "s3://", "s3:///x"} {
		if b, err := ParseBucket(bad); fault.KindOf(err) != fault.Usage {
			t.Errorf("%q: %v, %v", bad, b, err)
		}
	}
}

type putFunc func(*s3.PutObjectInput) error

func (f putFunc) PutObject(_ context.Context, in *s3.PutObjectInput, _ ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	return &s3.PutObjectOutput{}, f(in)
}
