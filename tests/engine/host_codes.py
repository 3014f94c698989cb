"""Every operation of the host, and every code that one may be refused with."""

OPERATIONS = (
    "state",
    "ready",
    "reserve",
    "claim",
    "locate",
    "tick",
    "hand_in",
    "claim_review",
    "approve",
    "reject",
    "confirm",
    "block",
    "note",
    "settle",
    "accept",
    "merge",
)
CLIENT = (
    *("HOST_TIMEOUT", "HOST_UNREADABLE", "WORKSPACE_UNUSABLE", "PROMPT_MISSING", "COMMAND_FAILED"),
    "HOST_CHANGED",
)
"""Lost replies, garbage, and what the client itself finds wrong."""
CONTRACT = (
    "ANCESTRY_NOT_ESTABLISHED",
    "CONTRACT_VERSION_MISMATCH",
    "DEPENDENCIES_NOT_SATISFIED",
    "DIRTY_WORKTREE",
    "HISTORY_COMMIT_FAILED",
    "LANE_ALLOCATION_FAILED",
    "MERGE_FAILED",
    "MISSION_NOT_FOUND",
    "MISSION_NOT_READY",
    "POLICY_METADATA_REQUIRED",
    "POLICY_VALIDATION_FAILED",
    "PREFLIGHT_FAILED",
    "PUSH_FAILED",
    "SAFE_COMMIT_BACKSTOP",
    "SAFE_COMMIT_GENERIC",
    "SAFE_COMMIT_HEAD_MISMATCH",
    "SAFE_COMMIT_NOT_A_WORKTREE",
    "SAFE_COMMIT_PROTECTED_BRANCH",
    "SAFE_COMMIT_RECOVERY_FAILED",
    "STATUS_READ_PATH_NOT_FOUND",
    "TRANSITION_REJECTED",
    "UNHONORABLE_BASE",
    "UNSUPPORTED_STRATEGY",
    "USAGE_ERROR",
    "WORKFLOW_EVIDENCE_REQUIRED",
    "WP_ALREADY_CLAIMED",
    "WP_NOT_FOUND",
)
UNKNOWN = ("A_CODE_OF_A_LATER_CONTRACT", "x")
CODES = (*CLIENT, *CLIENT[:2], *CONTRACT, *UNKNOWN)
