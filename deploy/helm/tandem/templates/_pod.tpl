{{/*
The environment that the chart sets for a pod, by its role or `single`: dict "root" $ "role" "coap".
*/}}
{{- define "tandem.environment" -}}
{{- $values := .root.Values -}}
{{- $single := eq .role "single" -}}
{{- $secure := ternary (not (empty $values.tls.coaps)) (eq .role "coaps") $single -}}
TANDEM_ROLES: {{ ternary "http,coap,api" .role $single | quote }}
TANDEM_METRICS_PORT: {{ include "tandem.metricsPort" .role | quote }}
{{- if $single }}
TANDEM_DATA_DIR: /data/tandem
{{- end }}
{{- if has .role (list "single" "api" "http") }}
HTTP_BIND_PORT: {{ include "tandem.httpPort" .role | quote }}
{{- if $values.tls.http }}
SSL_ENABLED: "true"
SSL_PEM_CERT: /etc/tandem/https/tls.crt
SSL_PEM_KEY: /etc/tandem/https/tls.key
{{- end }}
{{- end }}
{{- if has .role (list "single" "coap") }}
COAP_BIND_PORT: "5683"
{{- end }}
{{- if $secure }}
{{- if $single }}
COAP_DTLS_ENABLED: "true"
{{- end }}
COAP_DTLS_BIND_PORT: "5684"
COAP_DTLS_PEM_CERT: /etc/tandem/coaps/tls.crt
COAP_DTLS_PEM_KEY: /etc/tandem/coaps/tls.key
{{- end }}
{{- if $values.tls.devices.existingSecret }}
TANDEM_X509_TRUST_STORE: /etc/tandem/devices/{{ $values.tls.devices.trustStoreKey }}
{{- with $values.tls.devices.crlKey }}
TANDEM_X509_CRL: /etc/tandem/devices/{{ . }}
{{- end }}
{{- end }}
{{- if $values.secretKeys.existingSecret }}
TANDEM_SECRET_KEY_FILE: /etc/tandem/secret-keys/{{ $values.secretKeys.key }}
{{- end }}
{{- end -}}

{{/* The ports of a container, by name. */}}
{{- define "tandem.ports" -}}
{{- $values := .root.Values -}}
{{- $single := eq .role "single" -}}
{{- if has .role (list "single" "api" "http") }}
- { name: http, containerPort: {{ include "tandem.httpPort" .role }}, protocol: TCP }
{{- end }}
{{- if has .role (list "single" "coap") }}
- { name: coap, containerPort: 5683, protocol: UDP }
{{- end }}
{{- if or (eq .role "coaps") (and $single $values.tls.coaps) }}
- { name: coaps, containerPort: 5684, protocol: UDP }
{{- end }}
- { name: metrics, containerPort: {{ include "tandem.metricsPort" .role }}, protocol: TCP }
{{- end -}}

{{/* What is mounted from secrets, as a list of name, secret: JSON. */}}
{{- define "tandem.secretVolumes" -}}
{{- $values := .root.Values -}}
{{- $found := list -}}
{{- if and $values.tls.http (has .role (list "single" "api" "http")) -}}
{{- $found = append $found (dict "name" "https" "secret" $values.tls.http) -}}
{{- end -}}
{{- if and $values.tls.coaps (has .role (list "single" "coaps")) -}}
{{- $found = append $found (dict "name" "coaps" "secret" $values.tls.coaps) -}}
{{- end -}}
{{- if $values.tls.devices.existingSecret -}}
{{- $found = append $found (dict "name" "devices" "secret" $values.tls.devices.existingSecret) -}}
{{- end -}}
{{- if $values.secretKeys.existingSecret -}}
{{- $found = append $found (dict "name" "secret-keys" "secret" $values.secretKeys.existingSecret) -}}
{{- end -}}
{{- $found | toJson -}}
{{- end -}}

{{/* What a pod has of secrets, and what others than the chart give it. */}}
{{- define "tandem.env" -}}
{{- $values := .root.Values -}}
{{- $single := eq .role "single" -}}
{{- if not $single }}
- name: REDIS_URL
  valueFrom: { secretKeyRef: { name: {{ $values.existingSecret }}, key: REDIS_URL } }
{{- end }}
{{- if and $values.existingSecret (has .role (list "single" "api")) }}
- name: TANDEM_ADMIN_PASSWORD
  valueFrom: { secretKeyRef: { name: {{ $values.existingSecret }}, key: TANDEM_ADMIN_PASSWORD, optional: {{ $single }} } }
- name: TANDEM_SYSADMIN_PASSWORD
  valueFrom: { secretKeyRef: { name: {{ $values.existingSecret }}, key: TANDEM_SYSADMIN_PASSWORD, optional: true } }
{{- end }}
{{- with $values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* A pod of a role, or of mode single: dict "root" $ "role" "coap" "resources" {...} "settings" {...} "hostNetwork" false. */}}
{{- define "tandem.pod" -}}
{{- $values := .root.Values -}}
{{- $single := eq .role "single" -}}
{{- $secretVolumes := include "tandem.secretVolumes" . | fromJsonArray -}}
metadata:
  labels:
    {{- include "tandem.labels" . | nindent 4 }}
    {{- with $values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    # Changed settings start new pods.
    checksum/settings: {{ include "tandem.allSettings" . | sha256sum }}
    {{- with $values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "tandem.fullname" .root }}
  automountServiceAccountToken: false
  # A service called tandem would put TANDEM_PORT and the like into the environment, and the gateway refuses TANDEM_ names that it
  # does not know.
  enableServiceLinks: false
  {{- with $values.image.pullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 1000
    runAsGroup: 1000
    fsGroup: 1000
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: { type: RuntimeDefault }
  # 5 s until everybody knows that the pod goes, 10 s in which the gateway ends.
  terminationGracePeriodSeconds: 20
  {{- if .hostNetwork }}
  hostNetwork: true
  dnsPolicy: ClusterFirstWithHostNet
  {{- end }}
  {{- with $values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with $values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if not $single }}
  topologySpreadConstraints:
    {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "tandem.selector" $ | nindent 10 }}
      matchLabelKeys: [pod-template-hash]
    {{- end }}
  {{- end }}
  containers:
    - name: tandem
      image: {{ printf "%s:%s" $values.image.repository (default .root.Chart.AppVersion $values.image.tag) | quote }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: { drop: [ALL] }
      envFrom:
        - configMapRef: { name: {{ include "tandem.fullname" .root }}-{{ .role }} }
      {{- with include "tandem.env" . | trim }}
      env:
        {{- . | nindent 8 }}
      {{- end }}
      ports:
        {{- include "tandem.ports" . | trim | nindent 8 }}
      # Until it has been ready once. A large store takes its time to open, and a Redis that is away has ten minutes to come.
      startupProbe:
        httpGet: { path: /readyz, port: metrics }
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 120
      # Never /readyz: to restart a gateway whose store is away makes nothing better.
      livenessProbe:
        httpGet: { path: /livez, port: metrics }
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      {{- if has .role (list "api" "http") }}
      # Another pod may have its store: requests go there.
      readinessProbe:
        httpGet: { path: /readyz, port: metrics }
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 3
      {{- else }}
      # Once it was ready it keeps its devices: while the store is away it tells them when to come again, and keeps what they
      # observe. Taken out of its service it would say nothing, and they would go to a pod that does not know them.
      readinessProbe:
        httpGet: { path: /livez, port: metrics }
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 3
      {{- end }}
      lifecycle:
        preStop:
          exec: { command: [sleep, "5"] }
      resources:
        {{- toYaml .resources | nindent 8 }}
      {{- if or $single $secretVolumes $values.extraVolumeMounts }}
      volumeMounts:
        {{- if $single }}
        - { name: data, mountPath: /data }
        {{- end }}
        {{- range $secretVolumes }}
        - { name: {{ .name }}, mountPath: /etc/tandem/{{ .name }}, readOnly: true }
        {{- end }}
        {{- with $values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
  {{- if or $secretVolumes $values.extraVolumes }}
  volumes:
    {{- range $secretVolumes }}
    - name: {{ .name }}
      # 0440: of root and the group of the gateway.
      secret: { secretName: {{ .secret }}, defaultMode: 288 }
    {{- end }}
    {{- with $values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
{{- end -}}

{{/* All settings of a pod: what the chart sets, and of the values those of the role over those of all. */}}
{{- define "tandem.allSettings" -}}
{{- $given := merge (dict) (default (dict) .settings) .root.Values.settings -}}
{{- include "tandem.environment" . }}
{{- include "tandem.settings" $given }}
{{- end -}}
