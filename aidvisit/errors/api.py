"""Refusals that only other systems meet, at the API."""

from __future__ import annotations

from sync.problem import Kind

API = {
    "token-invalid": Kind(
        401,
        "没有令牌,或令牌不对、已过期、已撤销。请向管理员要一个新的,放在 Authorization: Bearer 里。",
        "There is no token, or it is wrong, expired or revoked. Ask an administrator for one, and show it as "
        "Authorization: Bearer.",
    ),
    "token-narrow": Kind(
        403,
        "这个令牌没有“{right}”这项权限。请向管理员要一个有的。",
        "This token has not the right “{right}”. Ask an administrator for one that has.",
    ),
    "unknown-token": Kind(
        404,
        "没有这个令牌。请从令牌页重新进入。",
        "There is no such token. Start again from the page of tokens.",
    ),
    "key-reused": Kind(
        422,
        "这个 Idempotency-Key 已经用在另一次不同的请求上,什么都没有做。每次新的写入请用新的键。",
        "This Idempotency-Key was used for another request, so nothing was done. Use a new key for each new write.",
    ),
    "precondition-required": Kind(
        428,
        "修改时要说明改的是哪一版:请先读取,再把它的 ETag 放在 If-Match 里。什么都没有改。",
        "A change has to say which version it changes: read it first and send its ETag as If-Match. "
        "Nothing was changed.",
    ),
    "precondition-failed": Kind(
        412,
        "您读取之后别人改过了,什么都没有改。请重新读取,再改一次。",
        "Somebody changed it after you read it, so nothing was changed. Read it again and repeat the change.",
    ),
    "unsupported-media-type": Kind(
        415,
        "内容应为 application/json,什么都没有做。请改用 JSON。",
        "The body must be application/json; nothing was done. Send JSON.",
    ),
    "bad-json": Kind(
        400,
        "内容不是合格的 JSON,什么都没有做。请核对发送的程序。",
        "The body is no well-formed JSON, so nothing was done. Check the program that sent it.",
    ),
    "bad-request": Kind(
        400,
        "请求不合 HTTP 的规定,什么都没有做。请核对发送的程序。",
        "The request is not what HTTP allows, so nothing was done. Check the program that sent it.",
    ),
}
