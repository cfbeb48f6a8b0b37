{{/* What cannot work is refused before anything is changed, with what to do about it. */}}
{{- define "tandem.refusals" -}}
{{- $values := .Values -}}
{{- if and (eq $values.mode "processes") (not $values.existingSecret) -}}
{{- fail "\n\nmode `processes` needs existingSecret, with REDIS_URL and TANDEM_ADMIN_PASSWORD:\n\n  kubectl create secret generic tandem --from-literal=REDIS_URL=redis://... --from-literal=TANDEM_ADMIN_PASSWORD=...\n\nand then --set existingSecret=tandem\n" -}}
{{- end -}}
{{- if eq $values.mode "processes" -}}
{{- if not $values.roles.api.enabled -}}
{{- fail "\n\nroles.api.enabled must be true: without it nobody moves accepted telemetry to where it is read\n" -}}
{{- end -}}
{{- if and $values.roles.coaps.enabled (not $values.tls.coaps) -}}
{{- fail "\n\nroles.coaps needs a certificate: name a secret of the type kubernetes.io/tls in tls.coaps\n" -}}
{{- end -}}
{{- range list "coap" "coaps" -}}
{{- $role := get $values.roles . -}}
{{- if and $role.enabled (eq $role.service.type "None") (not $role.hostNetwork) -}}
{{- fail (printf "\n\nroles.%s.service.type None is for roles.%s.hostNetwork: no device would find it\n" . .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and $values.ingress.enabled (not $values.ingress.hosts) -}}
{{- fail "\n\ningress.enabled needs names in ingress.hosts\n" -}}
{{- end -}}
{{- if and $values.ingress.enabled $values.tls.http -}}
{{- fail "\n\ningress and tls.http exclude each other: the Ingress speaks plain HTTP to the pods\n" -}}
{{- end -}}
{{- $own := list "REDIS_URL" "TANDEM_ADMIN_PASSWORD" "TANDEM_SYSADMIN_PASSWORD" "TANDEM_ROLES" "TANDEM_DATA_DIR" "TANDEM_METRICS_PORT" "HTTP_BIND_PORT" "COAP_BIND_PORT" "COAP_DTLS_ENABLED" "COAP_DTLS_BIND_PORT" "COAP_DTLS_PEM_CERT" "COAP_DTLS_PEM_KEY" "SSL_ENABLED" "SSL_PEM_CERT" "SSL_PEM_KEY" "TANDEM_SECRET_KEY_FILE" "TANDEM_X509_TRUST_STORE" "TANDEM_X509_CRL" -}}
{{- $given := list (dict "in" "settings" "settings" $values.settings) -}}
{{- range $name, $role := $values.roles -}}
{{- $given = append $given (dict "in" (printf "roles.%s.settings" $name) "settings" $role.settings) -}}
{{- end -}}
{{- range $given -}}
{{- $in := .in -}}
{{- range $name, $_ := .settings -}}
{{- if has $name $own -}}
{{- fail (printf "\n\n%s.%s: the chart sets that itself; values.yaml says from which value\n" $in $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
