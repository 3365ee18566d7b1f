package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// pageSize is how many buckets S3 returns at most in one answer. S3 pages only when it is asked to, and refuses
// unpaged requests of accounts with a quota above 10,000 buckets.
const pageSize = 1000

// account is the AWS account that the SDK's default credential chain leads to. Not for concurrent use.
type account struct {
	s3          *s3.Client
	sts         *sts.Client
	credentials aws.CredentialsProvider

	// Who accessKey belongs to: asked again only when the SDK has fetched new credentials.
	accessKey string
	arn       string
}

// openAccount sets up the clients from the environment; it sends no request. timeout is that of one whole listing.
func openAccount(ctx context.Context, timeout time.Duration, options ...func(*config.LoadOptions) error) (*account, error) {
	tokenSwap := &webIdentitySTS{}
	// A server that hangs must not hold an attempt for ever: the SDK's credential cache goes on fetching after its
	// caller's context has ended, so that the context alone would not do. A quarter, since the SDK makes three
	// attempts with pauses between them.
	client := awshttp.NewBuildableClient().WithTimeout(timeout / 4)
	options = append([]func(*config.LoadOptions) error{
		// Shows in CloudTrail's userAgent.
		config.WithAppID("s3-lister"),
		config.WithHTTPClient(client),
		// The agent of EKS Pod Identity would be asked by a client of the SDK's own, without a timeout.
		config.WithEndpointCredentialOptions(func(o *endpointcreds.Options) { o.HTTPClient = client }),
		config.WithWebIdentityRoleCredentialOptions(func(o *stscreds.WebIdentityRoleOptions) { o.Client = tokenSwap }),
	}, options...)
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return nil, errors.New("no AWS region: set AWS_REGION, for example AWS_REGION=eu-central-1")
	}
	tokenSwap.Client = sts.NewFromConfig(cfg)
	return &account{s3: s3.NewFromConfig(cfg), sts: tokenSwap.Client, credentials: cfg.Credentials}, nil
}

// webIdentitySTS is the STS client that swaps the pod's token for credentials. The one that the SDK makes for this by
// itself ignores AWS_ENDPOINT_URL (config v1.33.16 makes it in resolveCredentials, before resolveBaseEndpoint), so that
// the token would go to another place than every other request. This one comes from the finished configuration; the
// request is not signed, so it needs none of the credentials that it fetches.
type webIdentitySTS struct{ *sts.Client }

// buckets lists every bucket of the account, in S3's order, which is by name.
func (a *account) buckets(ctx context.Context) ([]bucket, error) {
	// Before S3's client would: it says of a token that was not swapped in time that S3 gave no answer.
	if _, err := a.fetchCredentials(ctx); err != nil {
		return nil, err
	}
	// Not nil, so that an empty listing is [] in JSON.
	buckets := []bucket{}
	pages := s3.NewListBucketsPaginator(a.s3, &s3.ListBucketsInput{MaxBuckets: aws.Int32(pageSize)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing the buckets: %w", err)
		}
		for _, b := range page.Buckets {
			buckets = append(buckets, bucket{Name: aws.ToString(b.Name), Created: aws.ToTime(b.CreationDate).UTC()})
		}
	}
	return buckets, nil
}

// identity is the ARN that the requests are made as, in a pod
// arn:aws:sts::<account>:assumed-role/<role>/<session>. It needs no permission.
func (a *account) identity(ctx context.Context) (string, error) {
	credentials, err := a.fetchCredentials(ctx)
	if err != nil {
		return "", err
	}
	if credentials.AccessKeyID == a.accessKey {
		return a.arn, nil
	}
	caller, err := a.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", fmt.Errorf("asking STS for the identity: %w", err)
	}
	a.accessKey, a.arn = credentials.AccessKeyID, aws.ToString(caller.Arn)
	return a.arn, nil
}

// fetchCredentials returns those that are good, or fetches new ones. Where ctx ends first, the SDK's cache goes on fetching
// and does not say what: for the pod's token this does. Nor does the SDK name the agent of EKS Pod Identity.
func (a *account) fetchCredentials(ctx context.Context) (aws.Credentials, error) {
	credentials, err := a.credentials.Retrieve(ctx)
	if err == nil {
		return credentials, nil
	}
	switch {
	case failedOperation(err) != nil:
	case aws.IsCredentialsProvider(a.credentials, (*endpointcreds.Provider)(nil)):
		err = agentError(err)
	case aws.IsCredentialsProvider(a.credentials, (*stscreds.WebIdentityRoleProvider)(nil)) && isTimeout(err):
		err = &smithy.OperationError{ServiceID: sts.ServiceID, OperationName: "AssumeRoleWithWebIdentity", Err: err}
	}
	return aws.Credentials{}, fmt.Errorf("fetching credentials: %w", err)
}
