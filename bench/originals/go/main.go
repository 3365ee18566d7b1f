// Command original lists the S3 buckets of its account as a newcomer's tutorial has it: AWS SDK for Go v1, one session,
// one call. bench/lister.ts measures the lister against it.
package main

import (
	"fmt"
	"log"
	"os"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/session"
	"github.com/aws/aws-sdk-go/service/s3"
)

func main() {
	config := aws.NewConfig()
	// This SDK does not know AWS_ENDPOINT_URL. An endpoint in the session's configuration holds for all of its clients,
	// the one that swaps the token at STS included.
	if endpoint := os.Getenv("AWS_ENDPOINT_URL"); endpoint != "" {
		config = config.WithEndpoint(endpoint).WithS3ForcePathStyle(true)
	}
	sess, err := session.NewSession(config)
	if err != nil {
		log.Fatal(err)
	}
	result, err := s3.New(sess).ListBuckets(nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("Buckets:")
	for _, bucket := range result.Buckets {
		fmt.Printf("* %s created on %s\n", aws.StringValue(bucket.Name), aws.TimeValue(bucket.CreationDate))
	}
	// The container stays, so that there is a log to read.
	for {
		time.Sleep(time.Hour)
	}
}
