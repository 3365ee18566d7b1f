// Command kube is the Kubernetes of `npm run local`: the upstream components of one release in one
// binary, which picks the component by the name that it is called by, as busybox does. One binary
// shares its packages, so it builds in a fraction of the time and space of five. Pulumi's Kubernetes
// provider is one more name of it: it is made of the same client packages.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
)

// providerName is the name by which Pulumi's engine starts the provider. It is no cobra command.
const providerName = "pulumi-resource-kubernetes"

var components = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllermanager.NewControllerManagerCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
	"kubectl":                 kubectl.NewDefaultKubectlCommand,
}

func main() {
	name := filepath.Base(os.Args[0])
	if name == providerName {
		serveProvider()
		return
	}
	component, ok := components[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "kube: called as %q; call it as one of kube-apiserver, kube-controller-manager, kube-scheduler, kubelet, kubectl, %s\n", name, providerName)
		os.Exit(2)
	}
	os.Exit(cli.Run(component()))
}
