package main

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseToken(t *testing.T) {
	got, err := parseToken(testToken(testExpiry) + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if got.Subject != testSubject || !slices.Equal(got.Audience, []string{"sts.amazonaws.com"}) || !got.Expires.Equal(testExpiry) ||
		!strings.HasPrefix(got.Issuer, "https://oidc.eks.") {
		t.Errorf("got %+v", got)
	}
}

func TestParseTokenOfAnotherShape(t *testing.T) {
	got, err := parseToken(jwt(map[string]any{"aud": "one", "exp": 1.5e9}))
	if err != nil || !slices.Equal(got.Audience, []string{"one"}) || !got.Expires.Equal(time.Unix(1.5e9, 0)) {
		t.Errorf("one audience as a string: %+v, %v", got, err)
	}
	if got, err := parseToken(jwt(map[string]any{})); err != nil || !got.Expires.IsZero() || got.Audience != nil {
		t.Errorf("no claims: %+v, %v", got, err)
	}
}

func TestParseTokenRefuses(t *testing.T) {
	for name, token := range map[string]string{
		"nothing": "", "one part": "abc", "four parts": "a.b.c.d", "not base64": "a.!.c", "not JSON": "a.YWJj.c",
		"wrong type": jwt(map[string]any{"exp": "soon"}), "odd audience": jwt(map[string]any{"aud": 7}),
	} {
		if got, err := parseToken(token); err == nil || !strings.HasPrefix(err.Error(), "not a JWT: ") {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
