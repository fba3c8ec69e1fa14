package main

import (
	"fmt"
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// table is the whole of the rules, in the words of nft: for every pod that a policy selects a chain of what it may, per
// direction. A packet of a connection that was allowed passes; what nothing allows is refused, so that a test hears of it.
func (w *world) table() string {
	var text, out, in strings.Builder
	text.WriteString("table inet policies\ndelete table inet policies\ntable inet policies {\n")
	pods := append([]*corev1.Pod{}, w.pods...)
	sort.Slice(pods, func(i, j int) bool { return pods[i].Status.PodIP < pods[j].Status.PodIP })
	for _, pod := range pods {
		name := strings.ReplaceAll(pod.Status.PodIP, ".", "-")
		if rules, isolated := w.allowed(pod, networkingv1.PolicyTypeEgress); isolated {
			fmt.Fprintf(&text, "chain out-%s {\n%sreject with icmpx admin-prohibited\n}\n", name, rules)
			fmt.Fprintf(&out, "ip saddr %s jump out-%s\n", pod.Status.PodIP, name)
		}
		if rules, isolated := w.allowed(pod, networkingv1.PolicyTypeIngress); isolated {
			fmt.Fprintf(&text, "chain in-%s {\n%sreject with icmpx admin-prohibited\n}\n", name, rules)
			fmt.Fprintf(&in, "ip daddr %s jump in-%s\n", pod.Status.PodIP, name)
		}
	}
	passed := "ct state established,related accept\n"
	fmt.Fprintf(&text, "chain forward {\ntype filter hook forward priority 0\n%s%s%s}\n", passed, out.String(), in.String())
	fmt.Fprintf(&text, "chain input {\ntype filter hook input priority 0\n%s%s}\n}\n", passed, out.String())
	return text.String()
}

func (w *world) allowed(pod *corev1.Pod, direction networkingv1.PolicyType) (rules string, isolated bool) {
	var text strings.Builder
	for _, policy := range w.policies {
		if policy.Namespace != pod.Namespace || !speaksOf(policy, direction) || !matches(&policy.Spec.PodSelector, pod.Labels) {
			continue
		}
		isolated = true
		if direction == networkingv1.PolicyTypeIngress {
			for _, rule := range policy.Spec.Ingress {
				text.WriteString(w.rule("ip saddr", rule.From, rule.Ports, policy.Namespace, []*corev1.Pod{pod}))
			}
		} else {
			for _, rule := range policy.Spec.Egress {
				text.WriteString(w.rule("ip daddr", rule.To, rule.Ports, policy.Namespace, w.pods))
			}
		}
	}
	return text.String(), isolated
}

// speaksOf: a policy that names no directions speaks of what comes in, and of what goes out when it has rules for that.
func speaksOf(policy *networkingv1.NetworkPolicy, direction networkingv1.PolicyType) bool {
	for _, named := range policy.Spec.PolicyTypes {
		if named == direction {
			return true
		}
	}
	return len(policy.Spec.PolicyTypes) == 0 && (direction == networkingv1.PolicyTypeIngress || len(policy.Spec.Egress) > 0)
}

// rule allows each peer at each port; no peers are all, and so are no ports. `targets` may have a port by name.
func (w *world) rule(
	field string, peers []networkingv1.NetworkPolicyPeer, ports []networkingv1.NetworkPolicyPort, namespace string, targets []*corev1.Pod,
) string {
	var text strings.Builder
	where := []string{""}
	if len(peers) > 0 {
		where = w.addresses(field, peers, namespace)
	}
	for _, address := range where {
		if len(ports) == 0 {
			fmt.Fprintf(&text, "%sreturn\n", address)
		}
		for _, port := range ports {
			for _, match := range portMatches(port, targets) {
				fmt.Fprintf(&text, "%s%sreturn\n", address, match)
			}
		}
	}
	return text.String()
}

func (w *world) addresses(field string, peers []networkingv1.NetworkPolicyPeer, namespace string) []string {
	var found []string
	for _, peer := range peers {
		if peer.IPBlock != nil && strings.Contains(peer.IPBlock.CIDR, ":") {
			continue // pods have no addresses of version 6 here
		}
		if peer.IPBlock != nil {
			block := fmt.Sprintf("%s %s ", field, peer.IPBlock.CIDR)
			for _, except := range peer.IPBlock.Except {
				block += fmt.Sprintf("%s != %s ", field, except)
			}
			found = append(found, block)
			continue
		}
		for _, pod := range w.pods {
			spaced := pod.Namespace == namespace
			if peer.NamespaceSelector != nil {
				spaced = matches(peer.NamespaceSelector, w.namespaces[pod.Namespace])
			}
			if spaced && (peer.PodSelector == nil || matches(peer.PodSelector, pod.Labels)) {
				found = append(found, fmt.Sprintf("%s %s ", field, pod.Status.PodIP))
			}
		}
	}
	return found
}

func portMatches(port networkingv1.NetworkPolicyPort, targets []*corev1.Pod) []string {
	protocol := "tcp"
	if port.Protocol != nil {
		protocol = strings.ToLower(string(*port.Protocol))
	}
	switch {
	case port.Port == nil:
		return []string{fmt.Sprintf("meta l4proto %s ", protocol)}
	case port.Port.Type == intstr.Int && port.EndPort != nil:
		return []string{fmt.Sprintf("%s dport %d-%d ", protocol, port.Port.IntVal, *port.EndPort)}
	case port.Port.Type == intstr.Int:
		return []string{fmt.Sprintf("%s dport %d ", protocol, port.Port.IntVal)}
	}
	var found []string
	for _, pod := range targets {
		for _, container := range pod.Spec.Containers {
			for _, named := range container.Ports {
				if named.Name == port.Port.StrVal && strings.EqualFold(string(named.Protocol), protocol) {
					found = append(found, fmt.Sprintf("ip daddr %s %s dport %d ", pod.Status.PodIP, protocol, named.ContainerPort))
				}
			}
		}
	}
	return found
}
