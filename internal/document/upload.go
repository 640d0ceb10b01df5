package document

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// attachmentSize is how large a file of a document may be in bytes (user guide,
// "Create a package": 1 GB).
const attachmentSize = 1 << 30

// objects is what putting files into S3 calls; *s3.Client satisfies it.
type objects interface {
	PutObject(ctx context.Context, in *s3.PutObjectInput, opts ...func(*s3.Options)) (*s3.PutObjectOutput, error)
}

// Uploads puts files of this machine into a bucket, where the service finds them.
type Uploads struct{ objects objects }

// NewUploads returns Uploads with a client made of cfg.
func NewUploads(cfg aws.Config) *Uploads {
	return &Uploads{s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.UsePathStyle = isLoopback(aws.ToString(o.BaseEndpoint)) // a simulator has no names for buckets
	})}
}

func isLoopback(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// Bucket is a place in S3.
type Bucket struct{ Name, Prefix string }

// ParseBucket reads s3://BUCKET or s3://BUCKET/PREFIX.
func ParseBucket(s string) (Bucket, error) {
	rest, ok := strings.CutPrefix(s, "s3://")
	name, prefix, _ := strings.Cut(rest, "/")
	if !ok || name == "" {
		return Bucket{}, fault.Usagef("%q is no place in S3", s).WithHint("write s3://BUCKET or s3://BUCKET/PREFIX")
	}
	return Bucket{Name: name, Prefix: strings.Trim(prefix, "/")}, nil
}

// checkLocal returns a Usage error for what cannot be attached.
func checkLocal(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return fault.New(fault.Usage, "attach "+path, "%w", err)
	case !info.Mode().IsRegular():
		return fault.Usagef("--attach %s is no file; a folder has to be in S3 already", path)
	case info.Size() > attachmentSize:
		return fault.Usagef("%s is %d bytes long, and a file of a document may have 1 GB at most", path, info.Size())
	}
	return nil
}

// Put uploads the local ones of a document's files and returns all as the service
// finds them. The key of a file holds its checksum, so that no other object is
// overwritten and the same file again is the same object.
func (u *Uploads) Put(ctx context.Context, to Bucket, files []AttachmentSource) ([]AttachmentSource, error) {
	done := make([]AttachmentSource, 0, len(files))
	for _, a := range files {
		if a.Local != "" {
			key, err := u.put(ctx, to, a)
			if err != nil {
				return nil, err
			}
			a.Local, a.Values = "", []string{"s3://" + to.Name + "/" + key}
		}
		done = append(done, a)
	}
	return done, nil
}

func (u *Uploads) put(ctx context.Context, to Bucket, a AttachmentSource) (key string, err error) {
	op := "upload " + a.Local + " to s3://" + to.Name
	f, err := os.Open(a.Local)
	if err != nil {
		return "", fault.New(fault.Usage, op, "%w", err)
	}
	defer f.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, f)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return "", fault.New(fault.Failed, op, "%w", err)
	}
	key = hex.EncodeToString(sum.Sum(nil))[:16] + "/" + a.Name
	if to.Prefix != "" {
		key = to.Prefix + "/" + key
	}
	_, err = u.objects.PutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String(to.Name), Key: aws.String(key), Body: f, ContentLength: aws.Int64(size),
	})
	return key, awsapi.Explain(op, err)
}
