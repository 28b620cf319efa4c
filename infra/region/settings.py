"""Settings of the synthetic region (prefix `CRM_`)."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from shared.run.settings import Folder, Settings


class RegionSettings(Settings):
    """What the region needs beyond address and clock."""

    creds_dir: Folder = Path(".crm/creds")
    """Folder with `<country>.nk`, each country's nkey seed."""
    rate: Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)] = 20.0
    """Synthetic reports per real second, of the region as a whole; 0: only the Plan's own history."""
    region_state: Path | None = None
    """Where the region notes how far it got; without it, beside the folder of keys."""
    region_seed: int = 2003
    """Another seed invents other people."""

    def state_file(self) -> Path:
        """Return where the region notes how far it got."""
        return self.region_state or self.creds_dir.parent / "region.json"
