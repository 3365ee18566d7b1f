//go:build provider

package main

import (
	"bytes"
	"embed"
	"fmt"
	"os"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version"
)

// embedded holds what the provider answers when it is asked what it is made of. The files are laid there
// for the build: see embed/README.md.
//
//go:embed embed
var embedded embed.FS

func init() {
	plugins["pulumi-resource-kubernetes"] = serveProvider
}

// serveProvider is what the provider's own `main` does, which no other module can import: it embeds files
// that are generated in its repository. The version is the linker's to set, at
// `github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version.Version`, as the provider's own build does:
// it is the one of the npm package that programs use, since the engine asks for the plugin of that version.
func serveProvider() {
	schema, err := embedded.ReadFile("embed/schema.json")
	if err != nil {
		refuse(err)
	}
	mapping, err := embedded.ReadFile("embed/terraform-mapping.json")
	if err != nil {
		refuse(err)
	}
	// A schema says whose it is; the one in the module has yet to be told.
	versioned := bytes.Replace(schema, []byte("{"), fmt.Appendf(nil, `{"version":%q,`, version.Version), 1)
	provider.Serve("kubernetes", version.Version, versioned, mapping)
}

func refuse(err error) {
	fmt.Fprintf(os.Stderr, "pulumi-resource-kubernetes: built without its schema (tools/kubernetes/embed/README.md): %v\n", err)
	os.Exit(1)
}
