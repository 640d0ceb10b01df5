package document

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// Everybody stands for all accounts: a document shared with it is public.
const Everybody = "all"

// sharedPerCall is how many accounts one call takes (API reference,
// ModifyDocumentPermission).
const sharedPerCall = 20

// Share is an account that may use a document.
type Share struct {
	Account string `json:"account"`           // twelve digits, or all
	Version string `json:"version,omitempty"` // the one it may use; empty: all
}

// Shares lists the accounts that a document is shared with.
func (s *Service) Shares(ctx context.Context, name string) ([]Share, error) {
	in := &ssm.DescribeDocumentPermissionInput{
		Name: aws.String(name), PermissionType: types.DocumentPermissionTypeShare, MaxResults: aws.Int32(200),
	}
	shares := []Share{}
	for {
		out, err := s.api.DescribeDocumentPermission(ctx, in)
		if err != nil {
			return nil, explain("see who document "+name+" is shared with", name, err)
		}
		versions := map[string]string{}
		for _, i := range out.AccountSharingInfoList {
			versions[aws.ToString(i.AccountId)] = aws.ToString(i.SharedDocumentVersion)
		}
		for _, id := range out.AccountIds {
			shares = append(shares, Share{Account: id, Version: versions[id]})
		}
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			return shares, nil
		}
	}
}

var accountID = pattern.Lazy(`^[0-9]{12}$`)

// CheckAccounts returns a Usage error unless all are account ids, or the one is
// Everybody, which comes back in the API's spelling. Repeated ones are left out.
func CheckAccounts(accounts []string) ([]string, error) {
	var list []string
	for _, a := range accounts {
		a = strings.TrimSpace(a)
		if strings.EqualFold(a, Everybody) {
			a = Everybody
		} else if !accountID().MatchString(a) {
			return nil, fault.Usagef("%q is no account", a).WithHint("an account has twelve digits; all stands for everybody")
		}
		if !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	if len(list) > 1 && slices.Contains(list, Everybody) {
		return nil, fault.Usagef("all stands for every account: no other is named beside it")
	}
	return list, nil
}

// ShareWith lets accounts use a document; a version, $LATEST or $DEFAULT among
// them, limits them to it. More than 20 take several calls: when one fails, the
// error says how many accounts were done.
func (s *Service) ShareWith(ctx context.Context, name string, accounts []string, version string) error {
	return s.modify(ctx, "share document "+name, name, accounts, func(in *ssm.ModifyDocumentPermissionInput, some []string) {
		in.AccountIdsToAdd, in.SharedDocumentVersion = some, optional(version)
	})
}

// Unshare takes a document away from accounts.
func (s *Service) Unshare(ctx context.Context, name string, accounts []string) error {
	return s.modify(ctx, "end sharing document "+name, name, accounts, func(in *ssm.ModifyDocumentPermissionInput, some []string) {
		in.AccountIdsToRemove = some
	})
}

func (s *Service) modify(ctx context.Context, op, name string, accounts []string, set func(*ssm.ModifyDocumentPermissionInput, []string)) error {
	done := 0
	for some := range slices.Chunk(accounts, sharedPerCall) {
		in := &ssm.ModifyDocumentPermissionInput{Name: aws.String(name), PermissionType: types.DocumentPermissionTypeShare}
		set(in, some)
		if _, err := s.api.ModifyDocumentPermission(ctx, in); err != nil {
			err = explain(op, name, err)
			if done == 0 {
				return err
			}
			return &fault.Error{
				Kind: fault.RemoteFailed, Op: op, Hint: fault.HintOf(err),
				Err: fmt.Errorf("done for %d of %d accounts, then: %w", done, len(accounts), err),
			}
		}
		done += len(some)
	}
	return nil
}

// Review is one reviewer's answer to a version of a document.
type Review struct {
	Reviewer string    `json:"reviewer"`
	Status   string    `json:"status"` // APPROVED, NOT_REVIEWED, PENDING, REJECTED
	Comment  string    `json:"comment,omitempty"`
	Created  time.Time `json:"created"`
	Updated  time.Time `json:"updated"`
}

// Reviews lists the reviews of a version of a document, a number or Latest.
func (s *Service) Reviews(ctx context.Context, name, version string) ([]Review, error) {
	in := &ssm.ListDocumentMetadataHistoryInput{
		Name: aws.String(name), Metadata: types.DocumentMetadataEnumDocumentReviews, DocumentVersion: optional(version), MaxResults: aws.Int32(50),
	}
	reviews := []Review{}
	for {
		out, err := s.api.ListDocumentMetadataHistory(ctx, in)
		if err != nil {
			return nil, explain("list reviews of document "+name, name, err)
		}
		if out.Metadata != nil {
			for _, r := range out.Metadata.ReviewerResponse {
				var comments []string
				for _, c := range r.Comment {
					comments = append(comments, aws.ToString(c.Content))
				}
				reviews = append(reviews, Review{
					Reviewer: aws.ToString(r.Reviewer), Status: string(r.ReviewStatus), Comment: strings.Join(comments, "\n"),
					Created: aws.ToTime(r.CreateTime), Updated: aws.ToTime(r.UpdatedTime),
				})
			}
		}
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			return reviews, nil
		}
	}
}

// reviewActions are the API's words by ours.
var reviewActions = map[string]types.DocumentReviewAction{
	"submit": types.DocumentReviewActionSendForReview, "comment": types.DocumentReviewActionUpdateReview,
	"approve": types.DocumentReviewActionApprove, "reject": types.DocumentReviewActionReject,
}

// Review submits a version for review, or answers: action is submit, comment,
// approve or reject.
func (s *Service) Review(ctx context.Context, name, version, action, comment string) error {
	reviews := &types.DocumentReviews{Action: reviewActions[action]}
	if comment != "" {
		reviews.Comment = []types.DocumentReviewCommentSource{{
			Type: types.DocumentReviewCommentTypeComment, Content: aws.String(comment),
		}}
	}
	_, err := s.api.UpdateDocumentMetadata(ctx, &ssm.UpdateDocumentMetadataInput{
		Name: aws.String(name), DocumentVersion: optional(version), DocumentReviews: reviews,
	})
	return awsapi.Explain(action+" document "+name, err)
}
