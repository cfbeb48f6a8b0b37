{{- define "tandem.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "tandem.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "tandem.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "tandem.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Of one role, or of all pods where .role is empty: dict "root" $ "role" "coap". They can never change. */}}
{{- define "tandem.selector" -}}
app.kubernetes.io/name: {{ include "tandem.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .role }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{- define "tandem.labels" -}}
{{ include "tandem.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{/* The same ports as in docker-compose.yml, so that no two roles collide on the network of one node. */}}
{{- define "tandem.metricsPort" -}}
{{- get (dict "single" "9090" "api" "9101" "http" "9102" "coap" "9103" "coaps" "9104") . -}}
{{- end -}}

{{- define "tandem.httpPort" -}}
{{- ternary "8081" "8080" (eq . "http") -}}
{{- end -}}

{{/* The roles that run, as JSON: in mode processes those that are enabled, else the one pod. */}}
{{- define "tandem.pods" -}}
{{- if eq .Values.mode "single" -}}
["single"]
{{- else -}}
{{- $enabled := list -}}
{{- range list "api" "http" "coap" "coaps" -}}
{{- if (get $.Values.roles .).enabled -}}
{{- $enabled = append $enabled . -}}
{{- end -}}
{{- end -}}
{{- $enabled | toJson -}}
{{- end -}}
{{- end -}}

{{/* Values as the environment has them; numbers never as 1e+06. */}}
{{- define "tandem.settings" -}}
{{- range $name, $value := . }}
{{ $name }}: {{ if kindIs "string" $value }}{{ $value | quote }}{{ else }}{{ $value | toJson | quote }}{{ end }}
{{- end }}
{{- end -}}
