"""One training step of a small CLIP in plain PyTorch, on request: reads lines from standard input, answers with seconds.

Usage: compare-pytorch.py THREADS BATCH LENGTH [bf16]. Each line `N` runs N steps and prints {"wall": s, "cpu": s, "rss_mb": …}.
"""
import json, resource, sys, time
import torch, torch.nn as nn, torch.nn.functional as F

threads, batch, length = map(int, sys.argv[1:4])
bf16 = "bf16" in sys.argv
torch.set_num_threads(threads)
torch.manual_seed(0)
W, H = 256, 4

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(W), nn.LayerNorm(W)
        self.attn = nn.MultiheadAttention(W, H, batch_first=True)
        self.c_fc, self.c_proj = nn.Linear(W, 4 * W), nn.Linear(4 * W, W)
    def forward(self, x, mask=None):
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False, attn_mask=mask)[0]
        y = self.c_fc(self.ln_2(x))
        return x + self.c_proj(y * torch.sigmoid(1.702 * y))

class Clip(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, W, 8, 8, bias=False)
        self.cls = nn.Parameter(torch.randn(W) * 0.02)
        self.pos = nn.Parameter(torch.randn(65, W) * 0.02)
        self.ln_pre, self.ln_post = nn.LayerNorm(W), nn.LayerNorm(W)
        self.image = nn.ModuleList(Block() for _ in range(6))
        self.proj = nn.Parameter(torch.randn(W, W) * W**-0.5)
        self.tok = nn.Embedding(8192, W)
        self.tpos = nn.Parameter(torch.randn(32, W) * 0.01)
        self.text = nn.ModuleList(Block() for _ in range(4))
        self.ln_final = nn.LayerNorm(W)
        self.tproj = nn.Parameter(torch.randn(W, W) * W**-0.5)
        self.scale = nn.Parameter(torch.tensor(2.6592))
        self.register_buffer("mask", torch.full((32, 32), float("-inf")).triu(1))
    def forward(self, pixels, ids):
        x = self.conv1(pixels).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(len(x), 1, W), x], 1) + self.pos
        x = self.ln_pre(x)
        for block in self.image: x = block(x)
        i = F.normalize(self.ln_post(x[:, 0]) @ self.proj, dim=-1)
        n = ids.shape[1]
        t = self.tok(ids) + self.tpos[:n]
        for block in self.text: t = block(t, self.mask[:n, :n])
        t = self.ln_final(t)[torch.arange(len(ids)), ids.argmax(-1)]
        t = F.normalize(t @ self.tproj, dim=-1)
        logits = self.scale.exp() * i @ t.T
        y = torch.arange(len(ids))
        return (F.cross_entropy(logits, y) + F.cross_entropy(logits.T, y)) / 2

model = Clip()
decay = [p for p in model.parameters() if p.ndim >= 2]
rest = [p for p in model.parameters() if p.ndim < 2]
optimiser = torch.optim.AdamW([{"params": rest, "weight_decay": 0.0}, {"params": decay, "weight_decay": 0.2}], lr=5e-4, betas=(0.9, 0.98), eps=1e-6, fused=True)
pixels = torch.randn(batch, 3, 64, 64)
ids = torch.randint(1, 8190, (batch, length)); ids[:, -1] = 8191

def step():
    optimiser.zero_grad(set_to_none=True)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        loss = model(pixels, ids)
    loss.backward()
    optimiser.step()
    with torch.no_grad(): model.scale.clamp_(0, 4.6052)
    return loss.item()

for line in sys.stdin:
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(int(line)): loss = step()
    print(json.dumps({"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "loss": loss, "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}), flush=True)
