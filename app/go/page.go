package main

import (
	_ "embed"
	"strings"
	"time"
)

//go:embed page.css
var pageStyle string

// pageView is what the page for people shows.
type pageView struct {
	snapshot
	unready    string // why, without the error, which the snapshot has; "" when ready
	role       string // ARN; "" when none was given
	token      *claims
	tokenError error
	now        time.Time
}

func (v pageView) page() markup {
	title := markupf("%s buckets", len(v.Buckets))
	if v.unready != "" {
		title = "Not ready"
	}
	return markupf(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>%s · S3 lister</title>
<link rel="icon" href="data:,">
<style>
%s</style>
</head>
<body>
<main>
<h1>S3 lister</h1>
%s
<h2>Who asks</h2>
<dl>
%s%s%s</dl>
%s<h2>Buckets</h2>
%s</main>
</body>
</html>
`, title, markup(pageStyle), v.statePart(), v.identityRows(), v.roleRow(), v.tokenRows(), v.errorPart(), v.bucketsPart())
}

// statePart says of when it is: a page stands still.
func (v pageView) statePart() markup {
	switch {
	case v.unready != "":
		return markupf(`<p class="bad">Not ready at %s: %s.</p>`, moment(v.now), v.unready)
	case v.Error != "":
		return markupf(`<p class="good">Ready at %s, although the last listing failed.</p>`, moment(v.now))
	}
	return markupf(`<p class="good">Ready at %s: the last listing has succeeded.</p>`, moment(v.now))
}

func (v pageView) identityRows() markup {
	if v.Identity == "" {
		return row("Identity", "not known")
	}
	identity := code(v.Identity)
	if v.role != "" && !isSessionOf(v.Identity, v.role) {
		identity += ` <span class="bad">Not a session of the role below: other credentials came first.</span>`
	}
	return row("Identity", identity)
}

func (v pageView) roleRow() markup {
	if v.role == "" {
		return row("Role", "none: AWS_ROLE_ARN is not set")
	}
	return row("Role", code(v.role))
}

func (v pageView) tokenRows() markup {
	switch {
	case v.tokenError != nil:
		return row("Token", markupf(`<span class="bad">%s</span>`, v.tokenError))
	case v.token == nil:
		return row("Token", "none: AWS_WEB_IDENTITY_TOKEN_FILE is not set")
	}
	return row("Token subject", code(v.token.Subject)) +
		row("Token audience", code(strings.Join(v.token.Audience, ", "))) +
		row("Token issuer", code(v.token.Issuer)) +
		row("Token expires", v.expiry())
}

func (v pageView) expiry() markup {
	expires := v.token.Expires
	switch {
	case expires.IsZero():
		return "not said"
	case !expires.After(v.now):
		return markupf(`%s <span class="bad">(has expired)</span>`, moment(expires))
	}
	return moment(expires)
}

func (v pageView) errorPart() markup {
	if v.Error == "" {
		return ""
	}
	return markupf("<h2>Last error</h2>\n<p>%s: %s</p>\n", moment(v.FailedAt), v.Error)
}

func (v pageView) bucketsPart() markup {
	if v.ListedAt.IsZero() {
		return "<p>Not listed yet.</p>\n"
	}
	var outdated markup
	if v.unready != "" || v.Error != "" {
		outdated = " That was the last listing that succeeded: what is there now is not known."
	}
	summary := markupf("<p>%s as of %s, also as <a href=\"buckets\">JSON</a>.%s</p>\n", len(v.Buckets), moment(v.ListedAt), outdated)
	if len(v.Buckets) == 0 {
		return summary
	}
	var rows strings.Builder
	for _, b := range v.Buckets {
		rows.WriteString(string(markupf("<tr><td>%s</td><td>%s</td></tr>\n", code(b.Name), moment(b.Created))))
	}
	return markupf(`%s<table>
<thead><tr><th scope="col">Name</th><th scope="col">Created</th></tr></thead>
<tbody>
%s</tbody>
</table>
`, summary, markup(rows.String()))
}

func row(term string, description markup) markup {
	return markupf("<dt>%s</dt><dd>%s</dd>\n", term, description)
}

func code(text string) markup {
	return markupf("<code>%s</code>", text)
}

func moment(t time.Time) markup {
	t = t.UTC()
	return markupf(`<time datetime="%s">%s</time>`, t.Format(time.RFC3339), t.Format("2006-01-02 15:04:05 MST"))
}

// isSessionOf tells whether arn:<partition>:sts::<account>:assumed-role/<name>/<session> is a session of the role
// arn:<partition>:iam::<account>:role/<path/><name>.
func isSessionOf(identity, role string) bool {
	i, r := strings.SplitN(identity, ":", 6), strings.SplitN(role, ":", 6)
	if len(i) != 6 || len(r) != 6 || i[4] != r[4] {
		return false
	}
	session := strings.Split(i[5], "/")
	return len(session) == 3 && session[0] == "assumed-role" && session[1] == r[5][strings.LastIndex(r[5], "/")+1:]
}
