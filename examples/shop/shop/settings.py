"""What differs between installations."""

import os

API_PREFIX = "/api/v1"
TOKENS = {
    os.environ.get("SHOP_CUSTOMER_TOKEN", "customer"): "ada",
    os.environ.get("SHOP_ADMIN_TOKEN", "admin"): "grace",
}
