{{- define "wherry.name" -}}
{{- $name := ternary .Release.Name (printf "%s-wherry" .Release.Name) (contains "wherry" .Release.Name) -}}
{{- $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "wherry.selector" -}}
app.kubernetes.io/name: wherry
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "wherry.labels" -}}
{{ include "wherry.selector" . }}
app.kubernetes.io/part-of: wherry
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "wherry.secrets" -}}
{{- .Values.secrets.existingSecret | default (printf "%s-keys" (include "wherry.name" .)) -}}
{{- end -}}

{{- define "wherry.claim" -}}
{{- .Values.persistence.existingClaim | default (printf "%s-data" (include "wherry.name" .)) -}}
{{- end -}}

{{- define "wherry.account" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "wherry.name" .) -}}
{{- else -}}
{{- required "serviceAccount.name: which account, when serviceAccount.create is off?" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "wherry.image" -}}
{{- required "image.platform: the platform's own image by digest. To make it: bin/image REGISTRY >image.yaml; then: -f image.yaml" .Values.image.platform -}}
{{- end -}}

{{/* What the values cannot be together; the schema has what each may be. */}}
{{- define "wherry.check" -}}
{{- if and (gt (int .Values.replicas) 1) (or (not .Values.database.existingSecret) (ne .Values.persistence.accessMode "ReadWriteMany")) -}}
{{- fail "replicas: more than one needs PostgreSQL (database.existingSecret) and persistence.accessMode: ReadWriteMany" -}}
{{- end -}}
{{- if and .Values.registry.own.enabled .Values.registry.url -}}
{{- fail "registry: either registry.url or registry.own.enabled" -}}
{{- end -}}
{{- if not (or .Values.registry.own.enabled .Values.registry.url) -}}
{{- fail "registry.url: where do the apps' images go? http(s)://HOST[:PORT][/PREFIX]; or registry.own.enabled" -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
{{- fail "httpRoute.parentRefs: which Gateway?" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) -}}
{{- fail "ingress.host: which host name?" -}}
{{- end -}}
{{- end -}}

{{- define "wherry.registryUrl" -}}
{{- if .Values.registry.own.enabled -}}
http://{{ include "wherry.name" . }}-registry.{{ .Release.Namespace }}.svc:5000
{{- else -}}
{{- .Values.registry.url -}}
{{- end -}}
{{- end -}}

{{/* The environment of every process: the chart's own settings with .Values.settings over them, each name once. */}}
{{- define "wherry.environment" -}}
{{- $ssh := ternary .Values.doors.ssh.port 0 .Values.doors.ssh.enabled -}}
{{- $port := .Values.apps.port | toString | default (ternary "443" "80" (eq .Values.apps.scheme "https")) -}}
{{- $plain := dict
  "WHERRY_HOME" "/data/wherry"
  "WHERRY_BIND" "0.0.0.0"
  "WHERRY_RUNTIME" "cluster"
  "WHERRY_PUBLIC_URL" .Values.publicUrl
  "WHERRY_DOORS_HOST" .Values.doors.host
  "WHERRY_APPS_DOMAIN" .Values.apps.domain
  "WHERRY_APPS_SCHEME" .Values.apps.scheme
  "WHERRY_APPS_PORT" $port
  "WHERRY_GATEWAY" .Values.apps.gateway
  "WHERRY_INGRESS_CLASS" .Values.apps.ingressClass
  "WHERRY_TERMINAL_PORT" (.Values.doors.terminalPort | toString)
  "WHERRY_SSH_PORT" ($ssh | toString)
  "WHERRY_REGISTRY_URL" (include "wherry.registryUrl" .)
  "WHERRY_REGISTRY_PULL_URL" .Values.registry.pullUrl
  "WHERRY_PLATFORM_IMAGE" .Values.image.platform
  "WHERRY_STACK_BUILD" .Values.image.stackBuild
  "WHERRY_STACK_RUN" .Values.image.stackRun
-}}
{{- if .Values.registry.own.enabled -}}
{{- $_ := set $plain "WHERRY_REGISTRY_USERNAME" "wherry" -}}
{{- end -}}
{{- $plain = merge (deepCopy .Values.settings) $plain -}}
{{- $plain = merge (deepCopy .Values.environment) $plain -}}
{{- if .Values.trust.configMap -}}
{{- range $name := list "SSL_CERT_FILE" "REQUESTS_CA_BUNDLE" }}{{ $_ := set $plain $name "/trust/ca-certificates.crt" }}{{ end -}}
{{- end -}}
{{- range $name, $value := $plain }}
{{- if $value }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end }}
{{- if .Values.database.existingSecret }}
{{- include "wherry.ofSecret" (list "WHERRY_DATABASE_URL" .Values.database.existingSecret .Values.database.key) }}
{{- end }}
{{- if .Values.registry.own.enabled }}
{{- include "wherry.ofSecret" (list "WHERRY_REGISTRY_PASSWORD" (printf "%s-registry" (include "wherry.name" .)) "registry-password") }}
{{- else if .Values.registry.existingSecret }}
{{- include "wherry.ofSecret" (list "WHERRY_REGISTRY_USERNAME" .Values.registry.existingSecret "username") }}
{{- include "wherry.ofSecret" (list "WHERRY_REGISTRY_PASSWORD" .Values.registry.existingSecret "password") }}
{{- end }}
{{- end -}}

{{/* The certificates that the environment names. */}}
{{- define "wherry.trustMount" -}}
{{- if .Values.trust.configMap }}
- {name: trust, mountPath: /trust, readOnly: true}
{{- end }}
{{- end -}}

{{- define "wherry.ofSecret" }}
- name: {{ index . 0 }}
  valueFrom: {secretKeyRef: {name: {{ index . 1 }}, key: {{ index . 2 }}}}
{{- end -}}

{{- define "wherry.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .Values.image.user }}
runAsGroup: {{ .Values.image.group }}
fsGroup: {{ .Values.image.group }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "wherry.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* Where any pod of ours may run, and how it gets its image. */}}
{{- define "wherry.placement" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}
