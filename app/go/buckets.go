package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"time"
)

// bucket is one S3 bucket.
type bucket struct {
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
}

func sameBuckets(a, b []bucket) bool {
	return slices.EqualFunc(a, b, func(a, b bucket) bool { return a.Name == b.Name && a.Created.Equal(b.Created) })
}

// printBuckets writes the block that people and programs look for in the log, in one write, so that no other line can
// come between. Times are UTC, as Go prints them.
func printBuckets(w io.Writer, buckets []bucket) error {
	var block bytes.Buffer
	block.WriteString("Buckets:\n")
	for _, b := range buckets {
		fmt.Fprintf(&block, "* %s created on %s\n", b.Name, b.Created.UTC())
	}
	if _, err := w.Write(block.Bytes()); err != nil {
		return fmt.Errorf("writing the buckets: %w", err)
	}
	return nil
}
