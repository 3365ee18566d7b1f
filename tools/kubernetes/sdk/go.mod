// Only what Pulumi's Kubernetes provider uses of its own Go SDK, in the SDK's place (see ../go.mod). The
// SDK has a Go type for every kind of every version of Kubernetes' API, and the provider needs none of
// them: they were 26 of its 45 MB of Go, seven minutes of processor time, and most of the binary.
module github.com/pulumi/pulumi-kubernetes/sdk/v4

go 1.25.0

require github.com/pulumi/pulumi/sdk/v3 v3.215.0
