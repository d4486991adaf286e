"""The recipe of the starter model: a small diffusion model trained from scratch on the sketch painter's own pictures.

The steps, each of which can be killed and gone on with:

1. `captions`, `data`: scenes are drawn by number, their words written, their pictures painted in worker processes.
2. `tokenizer`: byte pairs of the captions and of the painter's whole word list, as files of a CLIPTokenizer.
3. `autoencoder`: an AutoencoderKL, eight times smaller on each side, four channels.
4. `diffusion`: a UNet and its text encoder, trained together on the autoencoder's numbers.
5. `export`: the candidate, a plain StableDiffusionPipeline folder in half precision.
6. `gate`: measures the candidate's files as they lie there. Only one that passes gets the name `starter`.

`plan` holds the sizes of each budget, `stages` the loop, `checkpoints` what is kept of it.
"""
