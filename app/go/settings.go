package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"time"
)

// settings is what a person or a Deployment decides. Region and credentials are not among them: the AWS SDK takes both
// from its own environment.
type settings struct {
	once     bool
	interval time.Duration // between the end of a listing and the next
	timeout  time.Duration // of one listing, from fetching credentials to the last page
	listen   string        // address of the HTTP server
	drain    time.Duration // from turning unready to refusing connections

	// What the pod identity webhook put into the pod, "" outside of one. Only shown and checked: the SDK reads both by
	// itself.
	roleARN   string // AWS_ROLE_ARN
	tokenFile string // AWS_WEB_IDENTITY_TOKEN_FILE
}

// parseSettings reads flags, then the environment, then defaults. Its errors are one line each; flag.ErrHelp when only
// the usage, already printed on usage, was asked for.
func parseSettings(args []string, getenv func(string) string, usage io.Writer) (settings, error) {
	s := settings{
		interval:  60 * time.Second,
		roleARN:   getenv("AWS_ROLE_ARN"),
		tokenFile: getenv("AWS_WEB_IDENTITY_TOKEN_FILE"),
	}
	if text := getenv("LIST_INTERVAL"); text != "" {
		interval, err := time.ParseDuration(text)
		if err != nil {
			return s, fmt.Errorf("LIST_INTERVAL is %q, it must be a duration such as 60s or 5m", text)
		}
		s.interval = interval
	}

	flags := flag.NewFlagSet("s3-lister", flag.ContinueOnError)
	// The flag package would print the usage below every error; errors are one line here.
	flags.SetOutput(io.Discard)
	flags.BoolVar(&s.once, "once", false, "print the buckets and exit")
	flags.DurationVar(&s.interval, "interval", s.interval, "time between two `listings`, at least 1s (also LIST_INTERVAL)")
	flags.DurationVar(&s.timeout, "timeout", 20*time.Second, "`time` that one listing may take, retries included")
	flags.StringVar(&s.listen, "listen", ":8080", "`address` of the HTTP server")
	flags.DurationVar(&s.drain, "drain", time.Second, "`time` to go on serving after SIGTERM, while /readyz is already red")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(usage)
			fmt.Fprintln(usage, "Usage: s3-lister [flags]\n\nLists the S3 buckets of the account that the AWS credentials in the environment belong to.")
			flags.PrintDefaults()
		}
		return s, err
	}
	switch {
	case flags.NArg() > 0:
		return s, fmt.Errorf("unknown argument %q, see s3-lister --help", flags.Arg(0))
	case s.interval < time.Second:
		return s, fmt.Errorf("the interval is %s, it must be at least 1s", s.interval)
	case s.timeout <= 0:
		return s, fmt.Errorf("the timeout is %s, it must be more than 0s", s.timeout)
	case s.drain < 0:
		return s, fmt.Errorf("the drain time is %s, it may not be negative", s.drain)
	}
	return s, nil
}
