#!/bin/sh
# Plays what a tester of devices does with the server API, from login to clean-up (server contract, section 11): with curl,
# and coap-client for the device that speaks CoAP, against a gateway that it starts itself. One line for each step, with
# what it shows; the first that does not hold ends it with exit code 1. With REDIS_URL the gateway is on that Redis. The
# commands of docs/guides/server-api.md are among the steps, as they stand there.
set -eu
. "$(dirname "$0")/tour/play.sh"

export PASSWORD=Correct-Horse-7
start_gateway TANDEM_ADMIN_PASSWORD="$PASSWORD" MIN_SERVER_SIDE_RPC_TIMEOUT=1000

echo '# 1. Log in'
json 'without a login nothing is answered' 401 '.errorCode == 10 and (keys == ["errorCode", "message", "status", "timestamp"])' \
  GET /api/auth/user
json 'a wrong password is refused' 401 '.message == "Invalid username or password"' \
  POST /api/auth/login '{"username":"tenant@thingsboard.org","password":"wrong"}'
json 'the tenant administrator logs in' 200 'keys == ["refreshToken", "scope", "token"] and .scope == null' \
  POST /api/auth/login "{\"username\":\"tenant@thingsboard.org\",\"password\":\"$PASSWORD\"}"
refresh=$(got .refreshToken)
guide login
token=$TOKEN
json 'the token names its owner' 200 '.authority == "TENANT_ADMIN" and .email == "tenant@thingsboard.org"' GET /api/auth/user
json 'the refresh token gives new ones' 200 '(.token | length) > 100' POST /api/auth/token "{\"refreshToken\":\"$refresh\"}"
administrator=$token
guide api-key
guide with-key >body
same 'an API key acts as its user' "$(got .email)" tenant@thingsboard.org
curl_to_body -H "X-Authorization: ApiKey ${KEY}x" "$origin/api/auth/user"
same 'another one does not' "$status" 401

echo '# 2. Profiles'
json 'the default profile is there' 200 '.name == "default" and .transportType == "DEFAULT"' GET /api/deviceProfileInfo/default
export default_profile=$(got .id.id)
json 'it is read as a whole' 200 '.default and .profileData.transportConfiguration.type == "DEFAULT"' \
  GET "/api/deviceProfile/$default_profile"
guide profile
export profile=$PROFILE
json 'a profile for CoAP speaks JSON where it says nothing else' 200 '.version == 1 and .default == false and
  .profileData.transportConfiguration.coapDeviceTypeConfiguration.transportPayloadTypeConfiguration.transportPayloadType == "JSON"' \
  GET "/api/deviceProfile/$profile"
json 'it has exactly the fields of ThingsBoard' 200 'keys == (["id", "createdTime", "tenantId", "name", "description",
  "image", "default", "type", "transportType", "provisionType", "provisionDeviceKey", "profileData", "defaultRuleChainId",
  "defaultDashboardId", "defaultQueueName", "defaultEdgeRuleChainId", "firmwareId", "softwareId", "externalId", "version"]
  | sort)' GET "/api/deviceProfile/$profile"
got '.provisionType = "ALLOW_CREATE_NEW_DEVICES" | .provisionDeviceKey = "tour-key"
  | .profileData.provisionConfiguration = {type: .provisionType, provisionDeviceSecret: "tour-secret"}' >profile
json 'it is changed by sending it back' 200 '.version == 2 and .provisionDeviceKey == "tour-key"' \
  POST /api/deviceProfile "$(cat profile)"
json 'an outdated one is refused' 409 '.errorCode == 35' POST /api/deviceProfile "$(cat profile)"
json 'a name is given once' 400 '.message == "Device profile with such name already exists!"' \
  POST /api/deviceProfile '{"name":"Meter","type":"DEFAULT","transportType":"DEFAULT"}'
json 'a provision key as well' 400 '.message == "Device profile with such provision device key already exists!"' \
  POST /api/deviceProfile '{"name":"Other","type":"DEFAULT","transportType":"DEFAULT","provisionDeviceKey":"tour-key"}'
# protobuf_profile <name> <schema of telemetry>   as a body
protobuf_profile() {
  jq -nc --arg name "$1" --arg telemetry "$2" '{name: $name, type: "DEFAULT", transportType: "COAP", profileData: {
    transportConfiguration: {coapDeviceTypeConfiguration: {transportPayloadTypeConfiguration: {
    transportPayloadType: "PROTOBUF", deviceTelemetryProtoSchema: $telemetry,
    deviceAttributesProtoSchema: "syntax = \"proto3\"; message Attributes { optional string serial = 1; }"}}}}}'
}
json 'schemas of protobuf payloads are kept as they are written' 200 '.profileData.transportConfiguration
  .coapDeviceTypeConfiguration.transportPayloadTypeConfiguration.deviceTelemetryProtoSchema | endswith("flow = 1; }")' \
  POST /api/deviceProfile "$(protobuf_profile Pump 'syntax = "proto3"; message Telemetry { optional double flow = 1; }')"
pump=$(got .id.id)
json 'a schema that is wrong is told by its line' 400 '.message | contains("deviceTelemetryProtoSchema, line 2: imports")' \
  POST /api/deviceProfile "$(protobuf_profile Broken 'syntax = "proto3";
import "a.proto";')"
json 'profiles are listed by page' 200 '.totalElements == 3 and (.data | map(.name)) == ["default", "Meter"] and
  .totalPages == 2 and .hasNext' GET '/api/deviceProfiles?pageSize=2&page=0&sortProperty=name&sortOrder=ASC'
json 'or by transport' 200 '.data | map(.name) | sort == ["Meter", "Pump"]' \
  GET '/api/deviceProfileInfos?pageSize=10&page=0&transportType=COAP'

echo '# 3. Devices'
guide device
export device=$DEVICE
json 'a device has exactly the fields of ThingsBoard' 200 'keys == (["id", "createdTime", "additionalInfo", "tenantId",
  "customerId", "name", "type", "label", "deviceProfileId", "deviceData", "firmwareId", "softwareId", "externalId",
  "version"] | sort)' GET "/api/device/$device"
json 'without a customer it has the id of none' 200 '.customerId.id == "13814000-1dd2-11b2-8080-808080808080"' \
  GET "/api/device/$device"
json 'a device is made with a profile' 200 '.type == "Meter" and .deviceData.transportConfiguration.type == "COAP"' POST \
  '/api/device?accessToken=valve-token' "{\"name\":\"Valve\",\"deviceProfileId\":{\"entityType\":\"DEVICE_PROFILE\",\"id\":\"$profile\"}}"
export valve=$(got .id.id)
json 'a profile in use is not deleted' 400 '.message == "The device profile referenced by the devices cannot be deleted!"' \
  DELETE "/api/deviceProfile/$profile"
json 'a type makes the profile of that name' 200 '.type == "sensor" and .deviceProfileId.id != env.default_profile' \
  POST '/api/device?accessToken=' '{"name":"Thing","type":"sensor"}'
export thing=$(got .id.id) sensors=$(got .deviceProfileId.id)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=tour \
  -keyout "$scratch/key.pem" -out "$scratch/certificate.pem" 2>openssl || fail "openssl: $(cat openssl)"
json 'a device is made with a certificate' 200 '.name == "Certified"' POST /api/device-with-credentials \
  "$(jq -nc --rawfile pem "$scratch/certificate.pem" '{device: {name: "Certified"},
    credentials: {credentialsType: "X509_CERTIFICATE", credentialsValue: $pem}}')"
export certified=$(got .id.id)
json 'a name is given once' 400 '.errorCode == 31 and .message == "Device with such name already exists!"' \
  POST /api/device '{"name":"Valve"}'
json 'a profile that is not there is refused' 400 '.message == "Device is referencing non existing device profile!"' POST \
  /api/device "{\"name\":\"Other\",\"deviceProfileId\":{\"entityType\":\"DEVICE_PROFILE\",\"id\":\"$device\"}}"
guide by-name >body
same 'a device is found by its name' "$(got .id.id)" "$device"
guide by-page >body
same 'or by page and text' "$(got '.data[0].name + " of " + (.totalElements | tostring)')" 'Thermometer of 1'
json 'a page needs its size' 400 '.errorCode == 31' GET '/api/tenant/devices?page=0'
json 'an unknown device is not found' 404 '.errorCode == 32 and (.message | startswith("Device with id ["))' \
  GET "/api/device/$default_profile"

echo '# 4. Credentials'
guide credentials >body
same 'the access token is the one that was asked for' "$(got '.credentialsType + " " + .credentialsId')" 'ACCESS_TOKEN my-token'
json 'a device made without one has a token of 20 characters' 200 '.credentialsId | test("^[a-zA-Z0-9]{20}$")' \
  GET "/api/device/$thing/credentials"
jq -c '.credentialsId = "changed-token"' body >changed
json 'which is changed by sending the credentials back' 200 '.credentialsId == "changed-token" and .version == 2' \
  POST /api/device/credentials "$(cat changed)"
json 'a token is given once' 400 '.message == "Specified credentials are already registered!"' \
  POST '/api/device?accessToken=my-token' '{"name":"Other"}'
json 'the id of a certificate is computed by the server' 200 '.credentialsType == "X509_CERTIFICATE" and
  (.credentialsId | test("^[0-9a-f]{64}$")) and (.credentialsValue | startswith("MII"))' GET "/api/device/$certified/credentials"

echo '# 5. The devices act'
TANDEM_URL=$origin TANDEM_USER=tenant@thingsboard.org TANDEM_PASSWORD=$PASSWORD \
  node "$here/examples/watch-devices/watch.mjs" "$device" >watched 2>&1 & background=$!
appears 'a WebSocket begins with the state' watched '"what":"telemetry","data":{}'
over_http 'telemetry over HTTP is accepted' 200 '' my-token telemetry -d '{"temperature":42.0,"count":73,"on":true}'
over_http 'client attributes are accepted' 200 '' my-token attributes -d '{"serial":"A-17","revision":3}'
same 'telemetry over CoAP is accepted' "$(over_coap valve-token telemetry -m post -e '{"pressure":1.5}')" ''
same 'client attributes over CoAP are accepted' "$(over_coap valve-token attributes -m post -e '{"vendor":"x"}')" ''
appears 'the WebSocket tells of the telemetry' watched '"42.0"'
appears 'and of the attributes' watched '"A-17"'
stop_background
soon 'the keys of the time series are there' 200 'sort == ["count", "on", "temperature"]' \
  GET "/api/plugins/telemetry/DEVICE/$device/keys/timeseries"
guide latest >body
same 'values are strings, and doubles keep their point' "$(got '[.temperature, .count, .on | .[0].value] | join(" ")')" '42.0 73 true'
call GET "/api/plugins/telemetry/DEVICE/$device/values/timeseries?keys=temperature&useStrictDataTypes=true"
same 'or typed, on demand' "$(sed 's/.*"value"/"value"/' body)" '"value":42.0}]}'
json 'a key without data is there with null' 200 '.nothing[0].value == null' \
  GET "/api/plugins/telemetry/DEVICE/$device/values/timeseries?keys=nothing"
guide history >body
same 'a range of time is history' "$(got '.temperature | length')" 1
text 'the server writes values as well' 200 '' POST "/api/plugins/telemetry/DEVICE/$thing/timeseries/ANY" \
  '[{"ts":1000,"values":{"level":1,"note":"a"}},{"ts":2000,"values":{"level":2.5}},{"ts":11000,"values":{"level":4}}]'
soon 'they are history' 200 '.level | map(.value) == ["4", "2.5", "1"]' \
  GET "/api/plugins/telemetry/DEVICE/$thing/values/timeseries?keys=level&startTs=0&endTs=20000"
json 'of which the end does not belong to the range' 200 '.level | map(.ts) == [1000, 2000]' \
  GET "/api/plugins/telemetry/DEVICE/$thing/values/timeseries?keys=level&startTs=0&endTs=11000&orderBy=ASC"
json 'or averages of intervals' 200 '.level | map([.ts, .value]) == [[5000, "1.75"], [15000, "4.0"]]' \
  GET "/api/plugins/telemetry/DEVICE/$thing/values/timeseries?keys=level&startTs=0&endTs=20000&agg=AVG&interval=10000"
text 'an end before the start is refused' 400 "'endTs' must not be before 'startTs'" \
  GET "/api/plugins/telemetry/DEVICE/$thing/values/timeseries?keys=level&startTs=5&endTs=1&agg=AVG&interval=1000"
text 'values of a range are deleted' 200 '' \
  DELETE "/api/plugins/telemetry/DEVICE/$thing/timeseries/delete?keys=level&startTs=0&endTs=2000"
json 'and gone' 200 '.level | map(.ts) == [11000, 2000]' \
  GET "/api/plugins/telemetry/DEVICE/$thing/values/timeseries?keys=level&startTs=0&endTs=20000"
same 'old values are written, without a word' "$(guide backfill)" ''
soon 'they are in the history, and the latest value stays' 200 '[.temperature[].value] == ["42.0", "20.5", "19"]' \
  GET "/api/plugins/telemetry/DEVICE/$device/values/timeseries?keys=temperature&startTs=0&endTs=9000000000000"
guide hourly >"$scratch/body"
same 'each hour has its average, at its middle' "$(got '[.temperature[] | [.ts, .value]] | tojson')" '[[1700001000000,"19.0"],[1700004600000,"20.5"]]'
same 'a range is deleted, without a word' "$(guide forget)" ''
json 'and gone' 200 '[.temperature[].value] == ["42.0", "19"]' \
  GET "/api/plugins/telemetry/DEVICE/$device/values/timeseries?keys=temperature&startTs=0&endTs=9000000000000"
text 'intervals of no length are refused in bare text' 400 "'interval' must be at least 1 ms" \
  GET "/api/plugins/telemetry/DEVICE/$device/values/timeseries?keys=temperature&startTs=0&endTs=9&agg=AVG&interval=-1"
soon 'what came over CoAP is there as well' 200 '.pressure[0].value == "1.5"' \
  GET "/api/plugins/telemetry/DEVICE/$valve/values/timeseries"
json 'keys of client attributes' 200 'sort == ["revision", "serial"]' \
  GET "/api/plugins/telemetry/DEVICE/$device/keys/attributes/CLIENT_SCOPE"
json 'client attributes have types and times' 200 '[.[] | [.key, .value, (.lastUpdateTs > 0)]] | sort == [["revision", 3, true], ["serial", "A-17", true]]' \
  GET "/api/plugins/telemetry/DEVICE/$device/values/attributes/CLIENT_SCOPE"
json 'an unknown scope is refused as JSON' 400 '.errorCode == 31' GET "/api/plugins/telemetry/DEVICE/$device/values/attributes/NO_SCOPE"
text 'an unknown device in bare text' 404 "Device with requested id wasn't found!" \
  GET "/api/plugins/telemetry/DEVICE/$default_profile/values/timeseries"

echo '# 6. Shared attributes'
guide share >body
same 'a shared attribute is saved, without a word' "$(cat body)" ''
over_http 'the device reads it over HTTP' 200 '{"shared":{"target":21.0}}' my-token 'attributes?sharedKeys=target'
text 'the short path saves as well' 200 '' POST "/api/plugins/telemetry/$valve/SHARED_SCOPE" '{"open":true,"limit":5}'
same 'the device reads it over CoAP' "$(over_coap valve-token 'attributes?sharedKeys=open,limit' -m get)" '{"shared":{"open":true,"limit":5}}'
(curl -s --max-time 30 "$origin/api/v1/my-token/attributes/updates?timeout=20000" >update) & poll=$!
open_polls 1
text 'attributes of the server are no business of the device' 200 '' \
  POST "/api/plugins/telemetry/DEVICE/$device/attributes/SERVER_SCOPE" '{"note":"cellar"}'
text 'an attribute is deleted' 200 '' DELETE "/api/plugins/telemetry/DEVICE/$device/SHARED_SCOPE?keys=target"
wait "$poll"
same 'of which the device hears' "$(cat update)" '{"deleted":["target"]}'
text 'nobody but the device writes its client attributes' 400 'Invalid scope: CLIENT_SCOPE' \
  POST "/api/plugins/telemetry/DEVICE/$device/CLIENT_SCOPE" '{"a":1}'

echo '# 7. Commands'
(curl -s --max-time 30 -o nobody -w '%{http_code}' -H "X-Authorization: Bearer $token" -H 'Content-Type: application/json' \
  "$origin/api/plugins/rpc/twoway/$thing" -d '{"method":"m","timeout":1000}' >nobody-v1) & v1=$!
(curl -s --max-time 30 -o nobody -w '%{http_code}' -H "X-Authorization: Bearer $token" -H 'Content-Type: application/json' \
  "$origin/api/rpc/twoway/$thing" -d '{"method":"m","timeout":1000}' >nobody-v2) & v2=$!
(curl -s --max-time 30 "$origin/api/v1/my-token/rpc?timeout=20000" >command) & poll=$!
text 'a one-way command is handed over' 200 '' POST "/api/rpc/oneway/$device" '{"method":"setLed","params":{"on":true},"timeout":20000}'
wait "$poll"
same 'to the device that polls' "$(cat command)" '{"id":0,"method":"setLed","params":{"on":true}}'
(guide command >answer) & caller=$!
curl -s --max-time 30 "$origin/api/v1/my-token/rpc?timeout=20000" >command
same 'a two-way command as well' "$(cat command)" '{"id":1,"method":"getTemperature","params":{"unit":"C"}}'
over_http 'the device answers' 200 '' my-token rpc/1 -d '{"temperature":42.0}'
wait "$caller"
same 'and the caller has the answer, with its point' "$(cat answer)" '{"temperature":42.0}'
timeout 20 "$coap_client" -B 20 -s 10 -m get "$coap/api/v1/valve-token/rpc" >observed 2>&1 & background=$!
(call POST "/api/plugins/rpc/twoway/$valve" '{"method":"close","params":null,"timeout":20000}'; echo "$status" >>body; mv body answer) & caller=$!
appears 'an observation over CoAP gets the command' observed '{"id":0,"method":"close","params":null}'
same 'the device answers over CoAP' "$(over_coap valve-token rpc/0 -m post -e '{"closed":true}')" ''
wait "$caller"
same 'and the caller of the old path has the answer' "$(cat answer)" '{"closed":true}200'
stop_background
wait "$v1" "$v2"
same 'nobody there: 409 on the old path' "$(cat nobody-v1)" 409
same 'nobody there: 504 on the new one' "$(cat nobody-v2)" 504
json 'a command without a method is refused' 400 '.errorCode == 31' POST "/api/rpc/oneway/$device" '{"params":1}'
guide persistent >body
export rpc=$(got .rpcId)
json 'a persistent command waits for its device' 200 '.status == "QUEUED" and .request.body.method == "reboot"' GET "/api/rpc/persistent/$rpc"
json 'it is listed for its device' 200 '.totalElements == 1 and .data[0].id.id == env.rpc' \
  GET "/api/rpc/persistent/device/$device?pageSize=10&page=0&rpcStatus=QUEUED"
over_http 'the device fetches it' 200 '{"id":2,"method":"reboot","params":{"delay":5}}' my-token 'rpc?timeout=20000'
over_http 'and answers' 200 '' my-token rpc/2 -d '{"done":true}'
soon 'then the command is successful' 200 '.status == "SUCCESSFUL" and .response == {"done":true}' GET "/api/rpc/persistent/$rpc"
call DELETE "/api/rpc/persistent/$rpc"
same 'a persistent command is deleted' "$status" 200
json 'and gone' 404 '.errorCode == 32' GET "/api/rpc/persistent/$rpc"

echo '# 8. Provisioning: what the server knows afterwards. The request of the device is not served in this version.'
json 'a device is looked up by the name it may have given itself' 200 '.id.id == env.thing' GET '/api/tenant/devices?deviceName=Thing'
json 'one that has not come is not there' 404 '.errorCode == 32' GET '/api/tenant/devices?deviceName=Nobody'
json 'without provisioning a device has no state of it' 200 '. == []' \
  GET "/api/plugins/telemetry/DEVICE/$thing/values/attributes/SERVER_SCOPE?keys=provisionState"

echo '# 9. Claiming. The request of the device is not served in this version: the attribute claimingData stands for it.'
guide customer
export customer=$(printf %s "$CUSTOMER" | jq -r .id) user=$USER_ID
json 'a customer is made' 200 '.title == "Household" and .id.entityType == "CUSTOMER"' GET "/api/customer/$customer"
json 'and a user of it' 200 '.authority == "CUSTOMER_USER" and .customerId.id == env.customer' GET "/api/user/$user"
guide user-token
user_token=$USER_TOKEN
call GET "/api/user/$user/activationLink"
same 'or a link that activates the account' "$(sed 's/.*activateToken=.*/200 a link/' body)" "$status a link"
activation=$(sed 's/.*activateToken=//' body)
token=
call GET "/api/noauth/activate?activateToken=$activation"
same 'which leads to the page for a password' "$status" 303
json 'the user chooses a password' 200 '(.token | length) > 100' POST '/api/noauth/activate?sendActivationMail=false' \
  "{\"activateToken\":\"$activation\",\"password\":\"Battery-Staple-8\"}"
json 'and logs in with it' 200 '(.token | length) > 100' POST /api/auth/login \
  '{"username":"user@example.com","password":"Battery-Staple-8"}'
token=$user_token
json 'a user of a customer sees no device of the tenant' 403 '.errorCode == 20' GET "/api/device/$thing"
json 'and may not list them' 403 '.errorCode == 20' GET '/api/tenant/devices?pageSize=10&page=0'
text 'a device that nobody has offered is not claimed' 400 '"FAILURE"' POST /api/customer/device/Thing/claim '{"secretKey":"sesame"}'
token=$administrator
text 'a device is offered' 200 '' POST "/api/plugins/telemetry/DEVICE/$thing/SERVER_SCOPE" \
  "{\"claimingData\":{\"secretKey\":\"sesame\",\"expirationTime\":$(($(date +%s) + 600))000}}"
json 'and can be claimed until then' 200 '.state == "CLAIMABLE" and .expirationTime > 0 and .customerTitle == null' GET "/api/tandem/claim/$thing"
token=$user_token
json 'the user claims it' 200 '.response == "SUCCESS" and .device.id.id == env.thing and .device.customerId.id == env.customer' \
  POST /api/customer/device/Thing/claim '{"secretKey":"sesame"}'
text 'and cannot claim it again' 400 '"CLAIMED"' POST /api/customer/device/Thing/claim '{"secretKey":"sesame"}'
json 'and is told that it is claimed' 200 '.state == "CLAIMED" and .expirationTime == null' GET "/api/tandem/claim/$thing"
json 'reads it' 200 '.name == "Thing"' GET "/api/device/$thing"
json 'lists it' 200 '.totalElements == 1 and .data[0].id.id == env.thing' GET "/api/customer/$customer/devices?pageSize=10&page=0"
json 'and does not delete it' 403 '.errorCode == 20' DELETE "/api/device/$thing"
json 'a device that is not there is not claimed' 404 '.errorCode == 32' POST /api/customer/device/Nobody/claim '{}'
text 'the user gives it back' 200 '' DELETE /api/customer/device/Thing/claim
json 'and does not see it any more' 403 '.errorCode == 20' GET "/api/device/$thing"
token=$administrator
guide assign-customer >body
same 'the administrator assigns another one' "$(got .customerId.id)" "$customer"
guide devices-of-customer >body
same 'which the user lists' "$(got '.data | map(.name) | join(" ")')" Thermometer
json 'and takes it back' 200 '.customerId.id == "13814000-1dd2-11b2-8080-808080808080"' DELETE "/api/customer/device/$device"
json 'once' 400 ".message == \"Device isn't assigned to any customer!\"" DELETE "/api/customer/device/$device"

guide claim-state >body
same 'a device that nobody has offered cannot be claimed' "$(got .state)" NOT_CLAIMABLE
guide connectivity >line
same 'a line for a shell sends telemetry with its token' "$(grep -c 'curl -v -X POST .*/api/v1/my-token/telemetry' line)" 1
sh line 2>curl.log
same 'as it stands' "$(grep -c '^< HTTP/1.1 200' curl.log)" 1
(curl -s --max-time 30 "$origin/api/v1/my-token/attributes/updates?timeout=20000" >/dev/null) & poll=$!
open_polls 1
guide waiters >body
same 'who waits is listed' "$(got '[.waiters[0].deviceName, .waiters[0].protocol, .total.polls, .processes] | join(" ")')" \
  'Thermometer http 1 1'
kill "$poll"

echo '# 10. Firmware'
guide package
export package=$PACKAGE
json 'a package is made' 200 '.hasData == false and .title == "thermometer" and .type == "FIRMWARE" and
  .deviceProfileId.id == env.default_profile' GET "/api/otaPackage/info/$package"
head -c 100000 /dev/urandom >thermometer.bin
export checksum=$(sha256sum thermometer.bin | cut -d ' ' -f 1)
assign() { # <firmware id as JSON>
  call GET "/api/device/$device"
  call POST /api/device "$(jq -c ".firmwareId = $1" body)"
}
assign "{\"entityType\":\"OTA_PACKAGE\",\"id\":\"$package\"}"
same 'a package without data is not assigned' "$status" 400
curl_to_body -H "X-Authorization: Bearer $token" -F file=@thermometer.bin \
  "$origin/api/otaPackage/$package?checksumAlgorithm=SHA256&checksum=00"
same 'data with another checksum are refused' "$status $(got .message)" '400 Wrong otaPackage file!'
guide upload >body
same 'the data are uploaded' "$(got '[.hasData, .dataSize, .fileName, .checksum == env.checksum] | map(tostring) | join(" ")')" \
  'true 100000 thermometer.bin true'
curl_to_body -H "X-Authorization: Bearer $token" "$origin/api/otaPackage/$package/download"
same 'and come back byte by byte' "$status $(sha256sum <body | cut -d ' ' -f 1)" "200 $checksum"
json 'the package tells of itself' 200 '.checksumAlgorithm == "SHA256" and .version == "1.1"' GET "/api/otaPackage/info/$package"
json 'and stands in the list' 200 '.totalElements == 1' GET "/api/otaPackages/$default_profile/FIRMWARE?pageSize=10&page=0"
guide assign >body
same 'a device gets the package' "$(got .firmwareId.id)" "$package"
soon 'which it is told by shared attributes' 200 'map({(.key): .value}) | add | [.fw_title, .fw_version, .fw_size,
  .fw_checksum_algorithm, .fw_checksum == env.checksum] == ["thermometer", "1.1", 100000, "SHA256", true]' \
  GET "/api/plugins/telemetry/DEVICE/$device/values/attributes/SHARED_SCOPE"
over_http 'that it reads' 200 '{"shared":{"fw_title":"thermometer","fw_version":"1.1"}}' my-token 'attributes?sharedKeys=fw_title,fw_version'
soon 'and time series tell how far it is' 200 '[.fw_state, .target_fw_title, .target_fw_version | .[0].value] ==
  ["INITIATED", "thermometer", "1.1"]' GET "/api/plugins/telemetry/DEVICE/$device/values/timeseries"
json 'a package in use is not deleted' 400 '.errorCode == 31' DELETE "/api/otaPackage/$package"
assign null
same 'the package is taken away' "$status $(jq .firmwareId body)" '200 null'
soon 'with its attributes' 200 'map(.key) | map(select(startswith("fw_"))) == []' \
  GET "/api/plugins/telemetry/DEVICE/$device/values/attributes/SHARED_SCOPE"

echo '# 11. Whether a device is there'
soon 'a device that has sent something is active' 200 'map({(.key): .value}) | add | .active and .lastActivityTime > 0' \
  GET "/api/plugins/telemetry/DEVICE/$device/values/attributes/SERVER_SCOPE?keys=active,lastActivityTime"
json 'one that never did is not' 200 '.[0].value == false' \
  GET "/api/plugins/telemetry/DEVICE/$thing/values/attributes/SERVER_SCOPE?keys=active"

echo '# 12. Clean up'
for each in $device $valve $thing $certified; do text 'a device is deleted' 200 '' DELETE "/api/device/$each"; done
json 'and gone' 404 '.errorCode == 32' GET "/api/device/$device"
text 'a package is deleted' 200 '' DELETE "/api/otaPackage/$package"
for each in $profile $pump $sensors; do text 'a profile is deleted' 200 '' DELETE "/api/deviceProfile/$each"; done
text 'a user is deleted' 200 '' DELETE "/api/user/$user"
text 'a customer is deleted' 200 '' DELETE "/api/customer/$customer"
json 'and gone' 404 '.errorCode == 32' GET "/api/customer/$customer"
json 'the default profile stays' 400 '.message == "Deletion of Default Device Profile is prohibited!"' \
  DELETE "/api/deviceProfile/$default_profile"
over_http 'its token opens nothing any more' 401 '' my-token telemetry -d '{"a":1}'

echo 'tour: all of it holds'
