// Package kubernetes has of the SDK's package of this name what the provider uses.
package kubernetes

import "reflect"

// UntypedArgs are the arguments of a resource that are a Kubernetes object as it was read.
type UntypedArgs map[string]any

// ElementType is what the arguments resolve to.
func (UntypedArgs) ElementType() reflect.Type {
	return reflect.TypeFor[map[string]any]()
}
