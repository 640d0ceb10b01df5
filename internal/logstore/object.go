package logstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

const (
	chunkBytes = 64 << 10
	resumes    = 3 // how often a broken download is taken up again without progress
)

// Object names an object of S3.
type Object struct{ Bucket, Key string }

// String is s3://bucket/key.
func (o Object) String() string { return "s3://" + o.Bucket + "/" + o.Key }

// ParseObject reads an address of S3: s3://, path-style, or the bucket in the
// host's name. Anything else is no object.
func ParseObject(raw string) (o Object, ok bool) {
	u, err := url.Parse(raw)
	if err != nil || raw == "" {
		return o, false
	}
	path := strings.TrimPrefix(u.Path, "/")
	host := u.Hostname()
	switch first, _, _ := strings.Cut(host, "."); {
	case u.Scheme == "s3":
		o.Bucket, o.Key = u.Host, path
	case !strings.HasSuffix(host, ".amazonaws.com") && !strings.HasSuffix(host, ".amazonaws.com.cn"):
		return Object{}, false
	case first == "s3" || strings.HasPrefix(first, "s3-"):
		o.Bucket, o.Key, _ = strings.Cut(path, "/")
	default:
		o.Bucket, _, _ = strings.Cut(host, ".s3")
		o.Key = path
	}
	if o.Bucket == "" || o.Key == "" {
		return Object{}, false
	}
	return o, true
}

// reading is an object on its way.
type reading struct {
	objects Objects
	at      Object
	region  string // of the bucket; "": the client's
	etag    *string
	offset  int64
}

// ReadObject gives an object to emit, piece by piece; a piece is valid until the
// next one comes. found, which may be nil, is called before the first. An object
// that does not exist is ErrMissing; one that is replaced meanwhile is an error.
// Errors of emit come back as they are.
func (s *Store) ReadObject(ctx context.Context, o Object, found func(), emit func([]byte) error) error {
	r := &reading{objects: s.objects, at: o}
	buf := make([]byte, chunkBytes)
	body, err := r.open(ctx)
	if err != nil {
		return r.explain(err)
	}
	if found != nil {
		found()
	}
	for left := resumes; ; left-- {
		before := r.offset
		broken, err := r.copy(body, buf, emit)
		if !broken {
			return err
		}
		if r.offset > before {
			left = resumes
		}
		if ctx.Err() != nil || left == 0 {
			return r.explain(err)
		}
		if body, err = r.open(ctx); err != nil {
			return r.explain(err)
		}
	}
}

// copy reads body to its end. broken says that the connection failed, and not
// emit.
func (r *reading) copy(body io.ReadCloser, buf []byte, emit func([]byte) error) (broken bool, err error) {
	defer body.Close()
	for {
		n, err := body.Read(buf)
		if n > 0 {
			r.offset += int64(n)
			if err := emit(buf[:n]); err != nil {
				return false, err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return false, nil
		case err != nil:
			return true, err
		}
	}
}

// open asks for the rest of the object, in the Region that the bucket is in.
func (r *reading) open(ctx context.Context) (io.ReadCloser, error) {
	in := &s3.GetObjectInput{Bucket: aws.String(r.at.Bucket), Key: aws.String(r.at.Key), IfMatch: r.etag}
	if r.offset > 0 {
		in.Range = aws.String(fmt.Sprintf("bytes=%d-", r.offset))
	}
	out, err := r.objects.GetObject(ctx, in, r.options)
	if region := redirect(err); region != "" && region != r.region {
		r.region = region
		out, err = r.objects.GetObject(ctx, in, r.options)
	}
	if err != nil {
		return nil, err
	}
	r.etag = out.ETag
	return out.Body, nil
}

func (r *reading) options(o *s3.Options) {
	if r.region != "" {
		o.Region = r.region
	}
}

// redirect returns the Region that S3 says a bucket is in, "" for any other
// error.
func redirect(err error) string {
	var resp *awshttp.ResponseError
	var api smithy.APIError
	if !errors.As(err, &resp) || !errors.As(err, &api) || resp.Response == nil {
		return ""
	}
	switch api.ErrorCode() {
	case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "MovedPermanently":
		return resp.Response.Header.Get("X-Amz-Bucket-Region")
	}
	return ""
}

// explain puts an error of S3 into words.
func (r *reading) explain(err error) error {
	op := "read " + r.at.String()
	var api smithy.APIError
	if errors.As(err, &api) {
		switch api.ErrorCode() {
		case "NoSuchKey", "NotFound":
			return ErrMissing
		case "NoSuchBucket":
			return fault.New(fault.NotFound, op, "the bucket does not exist")
		case "PreconditionFailed":
			return fault.New(fault.Failed, op, "the object was replaced while it was read").WithHint("try again")
		}
	}
	err = awsapi.Explain(op, err)
	var denied *fault.Error
	if errors.As(err, &denied) && denied.Code == "AccessDenied" {
		denied.Hint += "; S3 answers so too for an object that is not there, unless s3:ListBucket is allowed; " +
			"with a KMS key of your own kms:Decrypt is needed"
	}
	return err
}
