package main

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	testRole     = "arn:aws:iam::000000000000:role/team/s3-irsa"
	testIdentity = "arn:aws:sts::000000000000:assumed-role/s3-irsa/session"
	testSubject  = "system:serviceaccount:apps:s3-irsa"
)

var testExpiry = time.Date(2033, 5, 18, 3, 33, 20, 0, time.UTC)

// fakeAWS answers as S3 and STS do, for a pod whose environment the test's process is given. It refuses a request that
// does not come along the whole chain: token, role, temporary credentials.
type fakeAWS struct {
	*httptest.Server
	tokenFile string

	mu       sync.Mutex
	buckets  []bucket
	onS3     http.HandlerFunc // instead of the listing, if set
	onSTS    http.HandlerFunc // instead of every STS answer, if set
	requests []string         // S3's raw queries, STS's actions
}

func startAWS(t *testing.T, buckets ...bucket) *fakeAWS {
	t.Helper()
	fake := &fakeAWS{buckets: buckets, tokenFile: filepath.Join(t.TempDir(), "token")}
	fake.writeToken(t, testToken(testExpiry))
	fake.Server = httptest.NewServer(fake)
	t.Cleanup(fake.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL":            fake.URL,
		"AWS_REGION":                  "eu-central-1",
		"AWS_ROLE_ARN":                testRole,
		"AWS_WEB_IDENTITY_TOKEN_FILE": fake.tokenFile,
		"AWS_EC2_METADATA_DISABLED":   "true",
		// One attempt: what the SDK does about errors has a test of its own.
		"AWS_MAX_ATTEMPTS": "1",
		// Nothing of the machine that runs the test.
		"AWS_CONFIG_FILE":             "/nonexistent",
		"AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
		"AWS_PROFILE":                 "",
		"AWS_DEFAULT_REGION":          "",
		"AWS_ACCESS_KEY_ID":           "",
		"AWS_SECRET_ACCESS_KEY":       "",
		"AWS_SESSION_TOKEN":           "",
		"AWS_ROLE_SESSION_NAME":       "",
		"AWS_ENDPOINT_URL_S3":         "",
		"AWS_ENDPOINT_URL_STS":        "",
		"AWS_CA_BUNDLE":               "",
		"LIST_INTERVAL":               "",
	} {
		t.Setenv(name, value)
	}
	// Set but empty, these two would still count: ECS's credentials endpoint.
	for _, name := range []string{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"} {
		t.Setenv(name, "")
		os.Unsetenv(name)
	}
	return fake
}

func (f *fakeAWS) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fakeAWS) seen() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.requests...)
}

func (f *fakeAWS) writeToken(t *testing.T, token string) {
	t.Helper()
	if err := os.WriteFile(f.tokenFile, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
}

// byAgent gives the pod its credentials by the agent of EKS Pod Identity instead, which answers with that.
func (f *fakeAWS) byAgent(t *testing.T, status int, body string) {
	t.Helper()
	t.Setenv("AWS_ROLE_ARN", "")
	t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "")
	// On loopback, which the SDK takes too; the agent itself has another address.
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f.URL+"/v1/credentials")
	t.Setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", f.tokenFile)
	f.onS3 = func(w http.ResponseWriter, r *http.Request) {
		token, _ := os.ReadFile(f.tokenFile)
		switch {
		case r.URL.Path != "/v1/credentials":
			serveListing(w, r, f.buckets)
		case r.Header.Get("Authorization") != string(token):
			http.Error(w, "Service account token cannot be parsed", http.StatusBadRequest)
		default:
			w.WriteHeader(status)
			fmt.Fprintln(w, body)
		}
	}
}

func (f *fakeAWS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	buckets, handler := f.buckets, f.onS3
	f.requests = append(f.requests, r.URL.RawQuery)
	if r.Method == http.MethodPost {
		handler = f.onSTS
		f.requests[len(f.requests)-1] = r.PostFormValue("Action")
	}
	f.mu.Unlock()

	switch {
	case handler != nil:
		handler(w, r)
	case r.Method == http.MethodPost:
		f.serveSTS(w, r)
	default:
		serveListing(w, r, buckets)
	}
}

func (f *fakeAWS) serveSTS(w http.ResponseWriter, r *http.Request) {
	token, _ := os.ReadFile(f.tokenFile)
	switch action := r.PostFormValue("Action"); {
	case action == "AssumeRoleWithWebIdentity" &&
		(r.PostFormValue("RoleArn") != testRole || r.PostFormValue("WebIdentityToken") != string(token)):
		stsError(http.StatusForbidden, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")(w, r)
	case action == "AssumeRoleWithWebIdentity":
		fmt.Fprint(w, `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>
			<Credentials><AccessKeyId>ASIAFAKE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>session</SessionToken>
			<Expiration>2033-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`)
	case !signedByRole(r):
		stsError(http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid.")(w, r)
	default:
		fmt.Fprintf(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
			<Arn>%s</Arn><UserId>AROA:session</UserId><Account>000000000000</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`, testIdentity)
	}
}

func serveListing(w http.ResponseWriter, r *http.Request, buckets []bucket) {
	if !signedByRole(r) {
		s3Error(http.StatusForbidden, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")(w, r)
		return
	}
	from, _ := strconv.Atoi(r.URL.Query().Get("continuation-token"))
	// Without max-buckets S3 sends all of them at once.
	to, next := len(buckets), ""
	if size, err := strconv.Atoi(r.URL.Query().Get("max-buckets")); err == nil && from+size < to {
		to = from + size
		next = fmt.Sprintf("<ContinuationToken>%d</ContinuationToken>", to)
	}
	fmt.Fprint(w, `<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Buckets>`)
	for _, b := range buckets[from:to] {
		fmt.Fprint(w, "<Bucket><Name>")
		xml.EscapeText(w, []byte(b.Name))
		fmt.Fprintf(w, "</Name><CreationDate>%s</CreationDate></Bucket>", b.Created.Format("2006-01-02T15:04:05.000Z"))
	}
	fmt.Fprintf(w, "</Buckets>%s</ListAllMyBucketsResult>", next)
}

func signedByRole(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Authorization"), "Credential=ASIAFAKE/") && r.Header.Get("X-Amz-Security-Token") == "session"
}

func s3Error(status int, code, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amz-Request-Id", "REQ1")
		w.WriteHeader(status)
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message><RequestId>REQ1</RequestId></Error>", code, message)
	}
}

func stsError(status int, code, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprintf(w, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>%s</Code>
			<Message>%s</Message></Error><RequestId>REQ2</RequestId></ErrorResponse>`, code, message)
	}
}

// hang answers nothing until the client gives up.
func hang(_ http.ResponseWriter, r *http.Request) {
	<-r.Context().Done()
}

func someBuckets(count int) []bucket {
	buckets := make([]bucket, count)
	for i := range buckets {
		buckets[i] = bucket{fmt.Sprintf("bucket-%05d", i), time.Date(2026, 1, 2, 3, 4, i%60, 0, time.UTC)}
	}
	return buckets
}

func testToken(expires time.Time) string {
	return jwt(map[string]any{
		"iss": "https://oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF",
		"sub": testSubject, "aud": []string{"sts.amazonaws.com"}, "exp": expires.Unix(),
	})
}

func jwt(claims map[string]any) string {
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	return "e30." + base64.RawURLEncoding.EncodeToString(payload) + ".c2lnbmF0dXJl"
}
