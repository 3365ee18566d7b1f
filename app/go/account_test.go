package main

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
)

func TestBucketsOfAllPages(t *testing.T) {
	want := someBuckets(2*pageSize + 7)
	aws := startAWS(t, want...)
	account, err := openAccount(t.Context(), 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	got, err := account.buckets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !sameBuckets(got, want) {
		t.Errorf("got %d buckets, want all %d in their order", len(got), len(want))
	}
	if requests := aws.seen(); len(requests) != 4 || requests[0] != "AssumeRoleWithWebIdentity" || !strings.Contains(requests[1], "max-buckets=1000") {
		t.Errorf("requests %q, want the token swap and three pages of 1000", requests)
	}
}

func TestNoBucketsIsNotAnError(t *testing.T) {
	startAWS(t)
	account, err := openAccount(t.Context(), 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := account.buckets(t.Context()); err != nil || got == nil || len(got) != 0 {
		t.Errorf("got %v, %v, want an empty list that is not nil", got, err)
	}
}

func TestIdentityIsAskedOncePerCredentials(t *testing.T) {
	fake := startAWS(t)
	account, err := openAccount(t.Context(), 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if arn, err := account.identity(t.Context()); err != nil || arn != testIdentity {
			t.Fatalf("got %q, %v", arn, err)
		}
	}
	if requests := fake.seen(); !slices.Equal(requests, []string{"AssumeRoleWithWebIdentity", "GetCallerIdentity"}) {
		t.Errorf("requests %q", requests)
	}
	// As after the SDK has fetched new credentials.
	account.accessKey = "ASIAOLD"
	if _, err := account.identity(t.Context()); err != nil || len(fake.seen()) != 3 {
		t.Errorf("did not ask again for new credentials: %q, %v", fake.seen(), err)
	}
}

func TestRetriesWhatPasses(t *testing.T) {
	for name, refuse := range map[string]http.HandlerFunc{
		"throttled":      s3Error(http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate."),
		"internal error": s3Error(http.StatusInternalServerError, "InternalError", "We encountered an internal error. Please try again."),
		"hangs":          hang,
		"drops": func(w http.ResponseWriter, _ *http.Request) {
			connection, _, _ := w.(http.Hijacker).Hijack()
			connection.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			fake := startAWS(t, someBuckets(3)...)
			refusals := 0
			fake.onS3 = func(w http.ResponseWriter, r *http.Request) {
				if refusals++; refusals <= 2 {
					refuse(w, r)
					return
				}
				serveListing(w, r, fake.buckets)
			}
			// As long as one listing may take: two attempts that hang must leave time for a third.
			const timeout = 1200 * time.Millisecond
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			account, err := openAccount(ctx, timeout, quickRetries)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := account.buckets(ctx); err != nil || len(got) != 3 || refusals != 3 {
				t.Errorf("got %d buckets after %d requests, %v", len(got), refusals, err)
			}
		})
	}
}

// The SDK's credential cache tells of a context that ended, not of what it was fetching.
func TestAListingThatEndsBeforeItsAttemptsNamesTheCall(t *testing.T) {
	fake := startAWS(t)
	fake.onSTS = hang
	account, err := openAccount(t.Context(), 2*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = account.buckets(ctx)
	if got := explain(err); got != "Timeout: no answer in time (STS AssumeRoleWithWebIdentity)" {
		t.Error(got)
	}
	if reachedS3(err) {
		t.Error("the listing counts as one that had credentials")
	}
}

func TestListsWithCredentialsOfTheAgent(t *testing.T) {
	fake := startAWS(t, someBuckets(3)...)
	fake.byAgent(t, 200, `{"AccessKeyId":"ASIAFAKE","SecretAccessKey":"secret","Token":"session","AccountId":"000000000000","Expiration":"2033-01-01T00:00:00Z"}`)
	account, err := openAccount(t.Context(), 2*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := account.buckets(t.Context()); err != nil || len(got) != 3 {
		t.Errorf("got %d buckets, %v", len(got), err)
	}
	if arn, err := account.identity(t.Context()); err != nil || arn != testIdentity {
		t.Errorf("identity %q, %v", arn, err)
	}
}

// quickRetries are the SDK's own three attempts without its pauses.
func quickRetries(options *config.LoadOptions) error {
	return config.WithRetryer(func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return time.Millisecond, nil })
		})
	})(options)
}
