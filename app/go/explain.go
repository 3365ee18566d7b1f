package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

// explain says in one line what went wrong: AWS's error code and message first, then the call that failed. The SDK's
// own text buries both behind every layer that the error came through.
func explain(err error) string {
	operation := failedOperation(err)
	if operation == nil {
		return oneLine(err.Error())
	}
	if operation.Service() == "ec2imds" {
		return oneLine("NoCredentials: the environment has no keys and no web identity token (AWS_ROLE_ARN and " +
			"AWS_WEB_IDENTITY_TOKEN_FILE) or agent (AWS_CONTAINER_CREDENTIALS_FULL_URI), one of which EKS puts into the pod, " +
			"and the instance metadata service gave none: " + operation.Err.Error())
	}

	call := operation.Service() + " " + operation.Operation()
	var response *awshttp.ResponseError
	if errors.As(err, &response) && response.HTTPStatusCode() != 0 {
		call += fmt.Sprintf(", HTTP %d", response.HTTPStatusCode())
		if id := response.ServiceRequestID(); id != "" {
			call += ", request id " + id
		}
	}
	return oneLine(fmt.Sprintf("%s: %s (%s)", errorCode(err), reason(err, operation), call))
}

// errorCode is AWS's code for the error, such as AccessDenied. Where no answer came it is Timeout or RequestError, else
// Error.
func errorCode(err error) string {
	var api smithy.APIError
	var request *url.Error
	switch {
	case errors.As(err, &api) && api.ErrorCode() != "":
		return api.ErrorCode()
	case isTimeout(err):
		return "Timeout"
	case errors.As(err, &request):
		return "RequestError"
	}
	return "Error"
}

func reason(err error, operation *smithy.OperationError) string {
	var api smithy.APIError
	var request *url.Error
	switch {
	case errors.As(err, &api) && api.ErrorMessage() != "":
		return api.ErrorMessage()
	case errors.As(err, &api):
		return "AWS gave no message"
	case isTimeout(err):
		return "no answer in time"
	case errors.As(err, &request):
		return request.Error()
	}
	return operation.Err.Error()
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || (errors.As(err, &network) && network.Timeout())
}

// failedOperation is the innermost AWS call in err's chain: where listing fails because STS refused the token, STS's.
func failedOperation(err error) *smithy.OperationError {
	var innermost *smithy.OperationError
	for {
		var operation *smithy.OperationError
		if !errors.As(err, &operation) {
			return innermost
		}
		innermost, err = operation, operation.Err
	}
}

// eksAuthRefusal is how the agent of EKS Pod Identity passes on what EKS Auth said: "[request id]: (code): message, fault:
// client". Source: pkg/errors of github.com/aws/eks-pod-identity-agent.
var eksAuthRefusal = regexp.MustCompile(`(?s)^\[[^\]]*\]: \((\w+)\): (.*), fault: \w+\s*$`)

// agentError names the call by which the agent did not give credentials: EKS Auth's, where that refused.
func agentError(err error) error {
	var answer smithy.APIError
	if !errors.As(err, &answer) {
		return &smithy.OperationError{ServiceID: "EKS Pod Identity agent", OperationName: "GetCredentials", Err: err}
	}
	if said := eksAuthRefusal.FindStringSubmatch(answer.ErrorMessage()); said != nil {
		refusal := &smithy.GenericAPIError{Code: said[1], Message: said[2], Fault: answer.ErrorFault()}
		return &smithy.OperationError{ServiceID: "EKS Auth", OperationName: "AssumeRoleForPodIdentity", Err: refusal}
	}
	return &smithy.OperationError{ServiceID: "EKS Pod Identity agent", OperationName: "GetCredentials", Err: answer}
}

func oneLine(text string) string {
	return strings.Join(strings.Fields(text), " ")
}
