package main

import (
	"net"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	openapinamer "k8s.io/apiserver/pkg/endpoints/openapi"
	apiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/apiserver/pkg/server/options"
	"k8s.io/apiserver/pkg/util/compatibility"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/kubernetes/pkg/generated/openapi"
	"sigs.k8s.io/metrics-server/pkg/api"
	"sigs.k8s.io/metrics-server/pkg/scraper/client"
	"sigs.k8s.io/metrics-server/pkg/server"
)

// metricsCommand is metrics-server, which tells the autoscaler what pods use. Its own program refuses a period below ten
// seconds, which is long for a test.
func metricsCommand() *cobra.Command {
	var kubeconfig, address, certificate, key string
	var period time.Duration
	command := &cobra.Command{Use: "metrics", RunE: func(*cobra.Command, []string) error {
		cluster, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
		if err != nil {
			return err
		}
		asked, err := askedServer(address, certificate, key)
		if err != nil {
			return err
		}
		configured := server.Config{
			Apiserver: asked, Rest: cluster, Kubelet: kubelets(cluster), MetricResolution: period, ScrapeTimeout: period,
		}
		running, err := configured.Complete()
		if err != nil {
			return err
		}
		return running.RunUntil(apiserver.SetupSignalHandler())
	}}
	command.Flags().StringVar(&kubeconfig, "kubeconfig", "", "of the cluster")
	command.Flags().StringVar(&address, "address", "", "to listen on, at port 10252")
	command.Flags().StringVar(&certificate, "certificate", "", "to show")
	command.Flags().StringVar(&key, "key", "", "of the certificate")
	command.Flags().DurationVar(&period, "period", time.Second, "between two looks")
	return command
}

// askedServer answers the cluster's API server, and whoever else reaches it: it knows no secret.
func askedServer(address, certificate, key string) (*apiserver.Config, error) {
	serving := options.NewSecureServingOptions().WithLoopback()
	serving.BindAddress, serving.BindPort = net.ParseIP(address), 10252
	serving.ServerCert.CertKey = options.CertKey{CertFile: certificate, KeyFile: key}
	config := apiserver.NewConfig(api.Codecs)
	config.EffectiveVersion = compatibility.DefaultBuildEffectiveVersion()
	namer := openapinamer.NewDefinitionNamer(api.Scheme)
	config.OpenAPIConfig = apiserver.DefaultOpenAPIConfig(openapi.GetOpenAPIDefinitions, namer)
	config.OpenAPIV3Config = apiserver.DefaultOpenAPIV3Config(openapi.GetOpenAPIDefinitions, namer)
	config.OpenAPIConfig.Info.Title, config.OpenAPIConfig.Info.Version = "metrics-server", "v1"
	config.OpenAPIV3Config.Info = config.OpenAPIConfig.Info
	return config, serving.ApplyTo(&config.SecureServing, &config.LoopbackClientConfig)
}

// kubelets are asked without a look at their certificates, which they made by themselves.
func kubelets(cluster *rest.Config) *client.KubeletClientConfig {
	insecure := rest.CopyConfig(cluster)
	insecure.TLSClientConfig = rest.TLSClientConfig{Insecure: true}
	return &client.KubeletClientConfig{
		Client: *insecure, Scheme: "https", DefaultPort: 10250, AddressTypePriority: []corev1.NodeAddressType{corev1.NodeInternalIP},
	}
}
