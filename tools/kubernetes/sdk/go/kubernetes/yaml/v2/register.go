// Package v2 has of the SDK's package of this name what the provider uses.
package v2

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// RegisterResource registers one object of a manifest or chart that the provider rendered. The SDK's
// function has a case, and a Go type to hold the outputs, for each of 157 kinds; the token follows one
// rule in all of them, and the provider passes on no more than the reference to the resource.
func RegisterResource(ctx *pulumi.Context, apiVersion, kind, name string, props pulumi.Input,
	opts ...pulumi.ResourceOption) (pulumi.CustomResource, error) {
	if !strings.Contains(apiVersion, "/") {
		apiVersion = "core/" + apiVersion
	}
	var resource struct{ pulumi.CustomResourceState }
	token := fmt.Sprintf("kubernetes:%s:%s", apiVersion, kind)
	if err := ctx.RegisterResource(token, name, props, &resource, opts...); err != nil {
		return nil, err
	}
	return &resource, nil
}
