import { counter, gauge } from '../row';

export const FIRMWARE_METRICS = {
  tandem_firmware_downloads: gauge('http', 'Downloads of devices over HTTP under way'),
  tandem_firmware_download_bytes_total: counter('every process', 'Bytes of packages read for devices'),
  tandem_firmware_devices_cached: gauge(
    'every process',
    'Devices of which the process knows the package they have to get',
  ),
  tandem_firmware_uploads: gauge('api', 'Uploads of packages under way'),
  tandem_firmware_uploads_completed_total: counter('api', 'Uploads of packages that were completed'),
  tandem_firmware_upload_bytes_total: counter('api', 'Bytes of packages that came in'),
  tandem_firmware_uploads_swept_total: counter(
    'every process',
    'Uploads of packages that were cut off and cleared away',
  ),
  tandem_firmware_rollouts: gauge(
    'api',
    'Rollouts of firmware and software that were not finished when it was last looked',
    { across: 'max' },
  ),
  tandem_firmware_devices_told_total: counter(
    'api',
    'Devices that this process has told in a rollout of another firmware or software',
  ),
  tandem_firmware_devices_failed_total: counter('api', 'Devices that a rollout had to leave out'),
  tandem_firmware_files_open: gauge('embedded', 'Files of packages that are kept open to be read'),
};
