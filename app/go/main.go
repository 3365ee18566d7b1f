// Command s3-lister lists the S3 buckets of the AWS account that its credentials belong to. In a pod on EKS those
// credentials come from IRSA: the pod's token, swapped at STS for one IAM role's. It is the proof that this works.
//
// It runs as a server that lists on an interval and shows what it found, or once with --once.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once: from then on Go's default handling applies again.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole program but for signals and exit. The buckets go to stdout, everything else to stderr. It returns
// the exit code: 0 done or stopped as asked, 1 an error, 2 wrong arguments.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	settings, err := parseSettings(args, os.Getenv, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "s3-lister: %v\n", err)
		return 2
	}

	if settings.once {
		err = listOnce(ctx, settings, stdout)
	} else {
		err = serve(ctx, settings, stdout, stderr)
	}
	if err != nil {
		fmt.Fprintf(stderr, "s3-lister: %s\n", explain(err))
		return 1
	}
	return 0
}

func listOnce(ctx context.Context, settings settings, stdout io.Writer) error {
	var unreadable *tokenUnreadableError
	if _, err := readToken(settings.tokenFile); errors.As(err, &unreadable) {
		return err
	}
	account, err := openAccount(ctx, settings.timeout)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, settings.timeout)
	defer cancel()
	buckets, err := account.buckets(ctx)
	if err != nil {
		return err
	}
	return printBuckets(stdout, buckets)
}
