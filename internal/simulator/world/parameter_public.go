package world

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// publicRoot is where the parameters of AWS are.
const publicRoot = "/aws/service/"

// regionNames are the Regions that the public parameters tell of: their long name
// and geolocation.
var regionNames = map[string][2]string{
	"us-east-1": {"US East (N. Virginia)", "US-VA"}, "us-east-2": {"US East (Ohio)", "US-OH"}, "us-west-1": {"US West (N. California)", "US-CA"},
	"us-west-2": {"US West (Oregon)", "US-OR"}, "ca-central-1": {"Canada (Central)", "CA-QC"}, "sa-east-1": {"South America (Sao Paulo)", "BR-SP"},
	"eu-west-1": {"Europe (Ireland)", "IE"}, "eu-west-2": {"Europe (London)", "GB"}, "eu-west-3": {"Europe (Paris)", "FR"},
	"eu-central-1": {"Europe (Frankfurt)", "DE"}, "eu-central-2": {"Europe (Zurich)", "CH"}, "eu-north-1": {"Europe (Stockholm)", "SE"},
	"eu-south-1": {"Europe (Milan)", "IT"}, "eu-south-2": {"Europe (Spain)", "ES"}, "ap-south-1": {"Asia Pacific (Mumbai)", "IN"},
	"ap-southeast-1": {"Asia Pacific (Singapore)", "SG"}, "ap-southeast-2": {"Asia Pacific (Sydney)", "AU-NSW"},
	"ap-northeast-1": {"Asia Pacific (Tokyo)", "JP"}, "ap-northeast-2": {"Asia Pacific (Seoul)", "KR"}, "ap-northeast-3": {"Asia Pacific (Osaka)", "JP"},
	"af-south-1": {"Africa (Cape Town)", "ZA"}, "me-south-1": {"Middle East (Bahrain)", "BH"}, "me-central-1": {"Middle East (UAE)", "AE"},
}

// publicImages are the names of public parameters whose value is an image, below
// publicRoot.
var publicImages = []string{
	"ami-amazon-linux-latest/al2023-ami-kernel-default-arm64",
	"ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64",
	"ami-amazon-linux-latest/al2023-ami-kernel-6.1-arm64",
	"ami-amazon-linux-latest/al2023-ami-kernel-6.1-x86_64",
	"ami-amazon-linux-latest/al2023-ami-minimal-kernel-default-arm64",
	"ami-amazon-linux-latest/al2023-ami-minimal-kernel-default-x86_64",
	"ami-amazon-linux-latest/amzn2-ami-hvm-arm64-gp2",
	"ami-amazon-linux-latest/amzn2-ami-hvm-x86_64-ebs",
	"ami-amazon-linux-latest/amzn2-ami-hvm-x86_64-gp2",
	"ami-amazon-linux-latest/amzn2-ami-kernel-5.10-hvm-arm64-gp2",
	"ami-amazon-linux-latest/amzn2-ami-kernel-5.10-hvm-x86_64-gp2",
	"ami-amazon-linux-latest/amzn2-ami-minimal-hvm-x86_64-ebs",
	"ami-windows-latest/EC2LaunchV2-Windows_Server-2016-English-Full-Base",
	"ami-windows-latest/TPM-Windows_Server-2022-English-Full-Base",
	"ami-windows-latest/Windows_Server-2016-English-Full-Base",
	"ami-windows-latest/Windows_Server-2019-English-Core-Base",
	"ami-windows-latest/Windows_Server-2019-English-Full-Base",
	"ami-windows-latest/Windows_Server-2022-English-Core-Base",
	"ami-windows-latest/Windows_Server-2022-English-Full-Base",
	"ami-windows-latest/Windows_Server-2022-English-Full-SQL_2022_Standard",
	"ami-windows-latest/Windows_Server-2025-English-Core-Base",
	"ami-windows-latest/Windows_Server-2025-English-Full-Base",
	"canonical/ubuntu/server/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id",
	"canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id",
	"debian/release/12/latest/amd64",
	"ecs/optimized-ami/amazon-linux-2023/recommended/image_id",
	"eks/optimized-ami/1.31/amazon-linux-2023/x86_64/standard/recommended/image_id",
}

// publicServices are the services that the public parameters tell of.
var publicServices = map[string]string{
	"ec2": "Amazon Elastic Compute Cloud (EC2)", "kms": "AWS Key Management Service", "s3": "Amazon Simple Storage Service (S3)",
	"secretsmanager": "AWS Secrets Manager", "ssm": "AWS Systems Manager", "sts": "AWS Security Token Service",
}

// publicVersion is the version that all public parameters have.
const publicVersion = 7

// publicIndex are the parameters of AWS in this Region. Callers hold w.mu.
func (w *World) publicIndex() *parameterIndex {
	if w.public != nil {
		return w.public
	}
	x := newParameterIndex()
	add := func(name, value string) {
		x.add(&Parameter{Name: publicRoot + name, Versions: []ParameterVersion{{
			Number: publicVersion, Type: typeString, Value: value, Tier: tierStandard, DataType: dataText,
			Modified: time.Date(2026, 2, 10, 17, 4, 3, 0, time.UTC), User: "arn:aws:iam::801119661308:user/amazon",
		}}})
	}
	for _, name := range publicImages {
		sum := sha256.Sum256([]byte(w.sc.Region + " " + name))
		add(name, "ami-0"+hex.EncodeToString(sum[:])[:16])
	}
	for region, names := range regionNames {
		at := "global-infrastructure/regions/" + region
		add(at, region)
		add(at+"/longName", names[0])
		add(at+"/geolocationCountry", names[1][:2])
		add(at+"/geolocationRegion", names[1])
		add(at+"/domain", "amazonaws.com")
		add(at+"/partition", "aws")
		for id := range publicServices {
			add(at+"/services/"+id, id)
		}
	}
	for id, name := range publicServices {
		add("global-infrastructure/services/"+id, id)
		add("global-infrastructure/services/"+id+"/longName", name)
	}
	add("global-infrastructure/current-region", w.sc.Region)
	for _, list := range []string{"ami-amazon-linux-latest", "ami-windows-latest", "canonical", "debian", "ecs", "eks", "global-infrastructure"} {
		add("list/"+list, publicRoot+list+"/")
	}
	w.public = x
	return x
}

func (w *World) publicParameter(name string) (*Parameter, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, ok := w.publicIndex().get(name)
	if !ok {
		return nil, false
	}
	return copyParameter(p), true
}
