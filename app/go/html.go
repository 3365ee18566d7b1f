package main

import (
	"fmt"
	"html"
)

// markup is HTML that may go to a browser as it is.
type markup string

// markupf fills each %s of an HTML format with an argument: other markup as it is, anything else as text, escaped so
// that it is safe as an element's content and in a quoted attribute. Those are the only places for a %s; not a URL, a
// style or a script.
//
// Not html/template: it looks up methods by names that are only known at run time, so that the linker keeps every
// exported method of every type, the S3 client's hundred operations among them. That is 7 MB of 20.
func markupf(format markup, args ...any) markup {
	safe := make([]any, len(args))
	for i, arg := range args {
		if part, ok := arg.(markup); ok {
			safe[i] = string(part)
		} else {
			safe[i] = html.EscapeString(fmt.Sprint(arg))
		}
	}
	return markup(fmt.Sprintf(string(format), safe...))
}
