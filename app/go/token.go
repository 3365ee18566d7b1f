package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// claims are what the pod's web identity token says about itself. They are shown, never trusted: nothing here checks
// the signature. STS does.
type claims struct {
	Issuer   string
	Subject  string
	Audience []string
	Expires  time.Time
}

// readToken reads the token in path afresh, since the kubelet replaces it while the pod runs. nil without an error when
// path is "": then there is no token.
func readToken(path string) (*claims, error) {
	if path == "" {
		return nil, nil
	}
	token, err := os.ReadFile(path)
	if err != nil {
		return nil, &tokenUnreadableError{path, err}
	}
	parsed, err := parseToken(string(token))
	if err != nil {
		return nil, fmt.Errorf("the web identity token in %s: %w", path, err)
	}
	return parsed, nil
}

// tokenUnreadableError: AWS_WEB_IDENTITY_TOKEN_FILE names a file that cannot be read.
type tokenUnreadableError struct {
	path  string
	cause error
}

func (e *tokenUnreadableError) Error() string {
	cause := e.cause
	var pathError *os.PathError
	if errors.As(cause, &pathError) {
		cause = pathError.Err
	}
	return fmt.Sprintf("cannot read the web identity token %s, which AWS_WEB_IDENTITY_TOKEN_FILE names: %v", e.path, cause)
}

func (e *tokenUnreadableError) Unwrap() error { return e.cause }

// parseToken decodes a JWT's claims without verifying it. Source of the format: RFC 7519, section 4.1.
func parseToken(token string) (*claims, error) {
	parts := strings.Split(strings.TrimSpace(token), ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("not a JWT: %d parts instead of 3", len(parts))
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return nil, fmt.Errorf("not a JWT: its claims are not base64url: %w", err)
	}
	var raw struct {
		Issuer   string   `json:"iss"`
		Subject  string   `json:"sub"`
		Audience audience `json:"aud"`
		Expires  float64  `json:"exp"`
	}
	if err := json.Unmarshal(payload, &raw); err != nil {
		return nil, fmt.Errorf("not a JWT: its claims are not what they should be: %w", err)
	}
	parsed := &claims{Issuer: raw.Issuer, Subject: raw.Subject, Audience: raw.Audience}
	if raw.Expires != 0 {
		parsed.Expires = time.Unix(int64(raw.Expires), 0).UTC()
	}
	return parsed, nil
}

// audience is one string or a list of them; Kubernetes writes a list.
type audience []string

func (a *audience) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(a))
}
