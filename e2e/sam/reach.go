package sam

// The way from a container to this machine.

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"strings"

	"thalas/e2e/backends"
)

// Reach asks the Docker engine. Where its bridge is on this machine, as on Linux, a
// container gets here at the bridge's address, and nobody else does. Where the
// engine is in a virtual machine, as with Docker Desktop, there is a name for it.
func Reach(ctx context.Context) (backends.Reach, error) {
	output, err := exec.CommandContext(ctx, "docker", "network", "inspect", "bridge", "--format", `{{index .Options "com.docker.network.bridge.name"}}`).CombinedOutput()
	said := strings.TrimSpace(string(output))
	if err != nil {
		return backends.Reach{}, fmt.Errorf("no Docker engine answers (%w): %s", err, said)
	}
	if bridge, err := net.InterfaceByName(said); err == nil {
		addresses, err := bridge.Addrs()
		if err != nil {
			return backends.Reach{}, err
		}
		for _, address := range addresses {
			if ip, _, err := net.ParseCIDR(address.String()); err == nil && ip.To4() != nil {
				return backends.Reach{Listen: ip.String()}, nil
			}
		}
	}
	return backends.Reach{Listen: "127.0.0.1", Name: "host.docker.internal"}, nil
}
