package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	server "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// policiesCommand enforces the cluster's NetworkPolicies by the node's firewall. It looks at all of them at every change and
// writes one table anew: plain, and quick enough for the few pods of a test.
func policiesCommand() *cobra.Command {
	var kubeconfig string
	command := &cobra.Command{Use: "policies", RunE: func(*cobra.Command, []string) error {
		cluster, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
		if err != nil {
			return err
		}
		client, err := kubernetes.NewForConfig(cluster)
		if err != nil {
			return err
		}
		return enforce(server.SetupSignalContext(), client)
	}}
	command.Flags().StringVar(&kubeconfig, "kubeconfig", "", "of the cluster")
	return command
}

func enforce(ctx context.Context, client kubernetes.Interface) error {
	factory := informers.NewSharedInformerFactory(client, 0)
	changes := make(chan struct{}, 1)
	changed := func() {
		select {
		case changes <- struct{}{}:
		default: // a look is due already
		}
	}
	pods, namespaces, policies := factory.Core().V1().Pods(), factory.Core().V1().Namespaces(), factory.Networking().V1().NetworkPolicies()
	for _, informer := range []cache.SharedIndexInformer{pods.Informer(), namespaces.Informer(), policies.Informer()} {
		_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(any) { changed() },
			UpdateFunc: func(any, any) { changed() },
			DeleteFunc: func(any) { changed() },
		})
		if err != nil {
			return err
		}
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	written := ""
	for {
		seen, err := look(pods.Lister().List, namespaces.Lister().List, policies.Lister().List)
		if err != nil {
			return err
		}
		if table := seen.table(); table != written {
			command := exec.CommandContext(ctx, "nft", "--file", "-")
			command.Stdin = strings.NewReader(table)
			if said, err := command.CombinedOutput(); err != nil {
				return fmt.Errorf("nft refused the table: %w: %s\n%s", err, said, table)
			}
			written = table
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changes:
			time.Sleep(20 * time.Millisecond) // one change seldom comes alone
		}
	}
}

// world is what the rules are made from.
type world struct {
	pods       []*corev1.Pod
	namespaces map[string]labels.Set
	policies   []*networkingv1.NetworkPolicy
}

type list[T any] func(labels.Selector) ([]T, error)

func look(pods list[*corev1.Pod], namespaces list[*corev1.Namespace], policies list[*networkingv1.NetworkPolicy]) (*world, error) {
	seen := &world{namespaces: map[string]labels.Set{}}
	found, err := pods(labels.Everything())
	if err != nil {
		return nil, err
	}
	for _, pod := range found {
		ended := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
		if pod.Status.PodIP != "" && !pod.Spec.HostNetwork && !ended {
			seen.pods = append(seen.pods, pod)
		}
	}
	spaces, err := namespaces(labels.Everything())
	if err != nil {
		return nil, err
	}
	for _, space := range spaces {
		seen.namespaces[space.Name] = space.Labels
	}
	seen.policies, err = policies(labels.Everything())
	return seen, err
}

// matches takes an absent selector as one that matches nothing, as in the API.
func matches(selector *metav1.LabelSelector, set labels.Set) bool {
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && parsed.Matches(set)
}
