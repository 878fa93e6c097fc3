"""Names and arguments of Keras's layers, optimizers and backbones.

Written by tests/support/keras_signatures.py from Keras 3.15.1; a test compares. A line is
`names: arguments [optional arguments]`, where `...` are those of almost any layer.
"""

COMMON = "activity_regularizer trainable dtype autocast name input_shape input_dim"
LAYERS = """
Activation: activation [...]
ActivityRegularization: [l1 l2 trainable dtype autocast name input_shape input_dim]
AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D AdaptiveMaxPooling1D
  AdaptiveMaxPooling2D AdaptiveMaxPooling3D: output_size [data_format ...]
Add Average HighPass Identity Maximum Minimum Multiply Subtract: [...]
AdditiveAttention: [use_scale dropout score_mode seed ...]
AlphaDropout Dropout: rate [noise_shape seed ...]
Attention: [use_scale score_mode dropout seed ...]
AugMix: [value_range num_chains chain_depth factor alpha all_ops interpolation seed data_format
  bounding_box_format ...]
AutoContrast: [value_range factor bounding_box_format data_format ...]
AveragePooling1D AveragePooling2D AveragePooling3D AvgPool1D AvgPool2D AvgPool3D: pool_size [strides
  padding data_format ...]
BatchNormalization: [axis momentum epsilon center scale beta_initializer gamma_initializer
  moving_mean_initializer moving_variance_initializer beta_regularizer gamma_regularizer
  beta_constraint gamma_constraint renorm renorm_clipping renorm_momentum synchronized ...]
CategoryEncoding: [num_tokens output_mode sparse ...]
CenterCrop: height width [data_format factor bounding_box_format ...]
Concatenate Softmax UnitNormalization: [axis ...]
ContrastLimitedAdaptiveHistogramEqualization: [value_range clip_limit tile_grid_size data_format
  factor bounding_box_format ...]
Conv1D Conv2D Conv3D Convolution1D Convolution2D Convolution3D: filters kernel_size [strides padding
  data_format dilation_rate groups activation use_bias kernel_initializer bias_initializer
  kernel_regularizer bias_regularizer kernel_constraint bias_constraint lora_rank lora_alpha ...]
Conv1DTranspose Conv2DTranspose Convolution1DTranspose Convolution2DTranspose: filters kernel_size
  [strides padding output_padding data_format dilation_rate activation use_bias kernel_initializer
  bias_initializer kernel_regularizer bias_regularizer kernel_constraint bias_constraint ...]
Conv3DTranspose Convolution3DTranspose: filters kernel_size [strides padding data_format
  output_padding dilation_rate activation use_bias kernel_initializer bias_initializer
  kernel_regularizer bias_regularizer kernel_constraint bias_constraint ...]
ConvLSTM1D ConvLSTM2D ConvLSTM3D: filters kernel_size [strides padding data_format dilation_rate
  activation recurrent_activation use_bias kernel_initializer recurrent_initializer bias_initializer
  unit_forget_bias kernel_regularizer recurrent_regularizer bias_regularizer kernel_constraint
  recurrent_constraint bias_constraint dropout recurrent_dropout seed return_sequences return_state
  go_backwards stateful unroll zero_output_for_mask ...]
Cropping1D: [cropping ...]
Cropping2D Cropping3D: [cropping data_format ...]
CutMix: [factor seed data_format bounding_box_format ...]
Dense: units [activation use_bias kernel_initializer bias_initializer kernel_regularizer
  bias_regularizer kernel_constraint bias_constraint lora_rank lora_alpha quantization_config ...]
DepthwiseConv1D DepthwiseConv2D: kernel_size [strides padding depth_multiplier data_format
  dilation_rate activation use_bias depthwise_initializer bias_initializer depthwise_regularizer
  bias_regularizer depthwise_constraint bias_constraint ...]
Discretization: [bin_boundaries num_bins epsilon output_mode sparse dtype name input_shape
  input_dim]
Dot: axes [normalize ...]
ELU: [alpha ...]
EinsumDense: equation output_shape [activation bias_axes kernel_initializer bias_initializer
  kernel_regularizer bias_regularizer kernel_constraint bias_constraint lora_rank lora_alpha
  gptq_unpacked_column_size quantization_config ...]
Embedding: output_dim [embeddings_initializer embeddings_regularizer embeddings_constraint mask_zero
  weights lora_rank lora_alpha quantization_config ...]
Equalization: [value_range bins data_format factor bounding_box_format ...]
Flatten: [data_format ...]
GRU: units [activation recurrent_activation use_bias kernel_initializer recurrent_initializer
  bias_initializer kernel_regularizer recurrent_regularizer bias_regularizer kernel_constraint
  recurrent_constraint bias_constraint dropout recurrent_dropout seed return_sequences return_state
  go_backwards stateful unroll reset_after use_cudnn zero_output_for_mask ...]
GRUCell: units [activation recurrent_activation use_bias kernel_initializer recurrent_initializer
  bias_initializer kernel_regularizer recurrent_regularizer bias_regularizer kernel_constraint
  recurrent_constraint bias_constraint dropout recurrent_dropout reset_after seed ...]
GaussianDropout: rate [seed ...]
GaussianNoise: stddev [seed ...]
GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalAvgPool1D GlobalAvgPool2D
  GlobalAvgPool3D GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D GlobalMaxPooling1D
  GlobalMaxPooling2D GlobalMaxPooling3D: [data_format keepdims ...]
GroupNormalization: [groups axis epsilon center scale beta_initializer gamma_initializer
  beta_regularizer gamma_regularizer beta_constraint gamma_constraint ...]
GroupQueryAttention: head_dim num_query_heads num_key_value_heads [dropout use_bias sliding_window
  flash_attention kernel_initializer bias_initializer kernel_regularizer bias_regularizer
  kernel_constraint bias_constraint use_gate seed ...]
HashedCrossing: num_bins [output_mode sparse ...]
Hashing: num_bins [mask_value salt output_mode sparse ...]
LSTM: units [activation recurrent_activation use_bias kernel_initializer recurrent_initializer
  bias_initializer unit_forget_bias kernel_regularizer recurrent_regularizer bias_regularizer
  kernel_constraint recurrent_constraint bias_constraint dropout recurrent_dropout seed
  return_sequences return_state go_backwards stateful unroll use_cudnn zero_output_for_mask ...]
LSTMCell: units [activation recurrent_activation use_bias kernel_initializer recurrent_initializer
  bias_initializer unit_forget_bias kernel_regularizer recurrent_regularizer bias_regularizer
  kernel_constraint recurrent_constraint bias_constraint dropout recurrent_dropout seed ...]
LayerNormalization: [axis epsilon center scale beta_initializer gamma_initializer beta_regularizer
  gamma_regularizer beta_constraint gamma_constraint ...]
LeakyReLU: [negative_slope ...]
Masking: [mask_value ...]
MaxNumBoundingBoxes: max_number [fill_value factor bounding_box_format data_format ...]
MaxPool1D MaxPool2D MaxPool3D MaxPooling1D MaxPooling2D MaxPooling3D: [pool_size strides padding
  data_format ...]
MelSpectrogram: [fft_length sequence_stride sequence_length window sampling_rate num_mel_bins
  min_freq max_freq power_to_db top_db mag_exp min_power ref_power ...]
MixUp: [alpha data_format seed factor bounding_box_format ...]
MultiHeadAttention: num_heads key_dim [value_dim dropout use_bias output_shape attention_axes
  sliding_window flash_attention kernel_initializer bias_initializer kernel_regularizer
  bias_regularizer kernel_constraint bias_constraint use_gate seed ...]
Normalization: [axis mean variance invert ...]
PReLU: [alpha_initializer alpha_regularizer alpha_constraint shared_axes ...]
Permute: dims [...]
Pool: statistics [...]
RMSNormalization: [axis epsilon ...]
RandAugment: [value_range num_ops factor interpolation seed data_format bounding_box_format ...]
RandomBrightness RandomContrast: factor [value_range seed bounding_box_format data_format ...]
RandomColorDegeneration RandomHue RandomPosterization RandomSaturation RandomSharpness: factor
  [value_range data_format seed bounding_box_format ...]
RandomColorJitter: [value_range brightness_factor contrast_factor saturation_factor hue_factor seed
  data_format factor bounding_box_format ...]
RandomCrop: height width [seed data_format factor bounding_box_format ...]
RandomElasticTransform: [factor scale interpolation fill_mode fill_value value_range seed
  data_format bounding_box_format ...]
RandomErasing: [factor scale fill_value value_range seed data_format bounding_box_format ...]
RandomFlip: [mode seed data_format factor bounding_box_format ...]
RandomGaussianBlur: [factor kernel_size sigma value_range data_format seed bounding_box_format ...]
RandomGrayscale: [factor data_format seed bounding_box_format ...]
RandomInvert: [factor value_range seed data_format bounding_box_format ...]
RandomPerspective: [factor scale interpolation fill_value seed data_format bounding_box_format ...]
RandomResizedCrop: size [area ratio ...]
RandomRotation: factor [fill_mode interpolation seed fill_value data_format bounding_box_format ...]
RandomShear: [x_factor y_factor interpolation fill_mode fill_value data_format seed factor
  bounding_box_format ...]
RandomTranslation: height_factor width_factor [fill_mode interpolation seed fill_value data_format
  factor bounding_box_format ...]
RandomZoom: height_factor [width_factor fill_mode interpolation seed fill_value data_format factor
  bounding_box_format ...]
ReLU: [max_value negative_slope threshold ...]
RepeatVector: n [...]
Rescaling: scale [offset ...]
Reshape: target_shape [...]
Residual: filters [strides ...]
Resizing: height width [interpolation crop_to_aspect_ratio pad_to_aspect_ratio fill_mode fill_value
  antialias data_format factor bounding_box_format ...]
ReversibleEmbedding: output_dim [tie_weights embeddings_initializer embeddings_regularizer
  embeddings_constraint mask_zero reverse_dtype logit_soft_cap weights lora_rank lora_alpha
  quantization_config ...]
STFTSpectrogram: [mode frame_length frame_step fft_length window periodic scaling padding
  expand_dims data_format ...]
SeparableConv1D SeparableConv2D SeparableConvolution1D SeparableConvolution2D: filters kernel_size
  [strides padding data_format dilation_rate depth_multiplier activation use_bias
  depthwise_initializer pointwise_initializer bias_initializer depthwise_regularizer
  pointwise_regularizer bias_regularizer depthwise_constraint pointwise_constraint bias_constraint
  ...]
SimpleRNN: units [activation use_bias kernel_initializer recurrent_initializer bias_initializer
  kernel_regularizer recurrent_regularizer bias_regularizer kernel_constraint recurrent_constraint
  bias_constraint dropout recurrent_dropout return_sequences return_state go_backwards stateful
  unroll seed zero_output_for_mask ...]
SimpleRNNCell: units [activation use_bias kernel_initializer recurrent_initializer bias_initializer
  kernel_regularizer recurrent_regularizer bias_regularizer kernel_constraint recurrent_constraint
  bias_constraint dropout recurrent_dropout seed ...]
Solarization: [addition_factor threshold_factor value_range seed factor bounding_box_format
  data_format ...]
SpatialDropout1D: rate [seed name dtype input_shape input_dim]
SpatialDropout2D SpatialDropout3D: rate [data_format seed name dtype input_shape input_dim]
UpSampling1D: [size ...]
UpSampling2D: [size data_format interpolation ...]
UpSampling3D: [size data_format ...]
ZeroPadding1D ZeroPadding2D ZeroPadding3D: [padding data_format ...]
"""
OPTIMIZERS = """
Adadelta: [rho epsilon weight_decay clipnorm clipvalue global_clipnorm use_ema ema_momentum
  ema_overwrite_frequency loss_scale_factor gradient_accumulation_steps name]
Adafactor: [beta_2_decay epsilon_1 epsilon_2 clip_threshold relative_step weight_decay clipnorm
  clipvalue global_clipnorm use_ema ema_momentum ema_overwrite_frequency loss_scale_factor
  gradient_accumulation_steps name]
Adagrad: [initial_accumulator_value epsilon weight_decay clipnorm clipvalue global_clipnorm use_ema
  ema_momentum ema_overwrite_frequency loss_scale_factor gradient_accumulation_steps name]
Adam: [beta_1 beta_2 epsilon amsgrad weight_decay clipnorm clipvalue global_clipnorm use_ema
  ema_momentum ema_overwrite_frequency loss_scale_factor gradient_accumulation_steps name]
AdamW: [weight_decay beta_1 beta_2 epsilon amsgrad clipnorm clipvalue global_clipnorm use_ema
  ema_momentum ema_overwrite_frequency loss_scale_factor gradient_accumulation_steps name]
Adamax Lamb Nadam: [beta_1 beta_2 epsilon weight_decay clipnorm clipvalue global_clipnorm use_ema
  ema_momentum ema_overwrite_frequency loss_scale_factor gradient_accumulation_steps name]
Ftrl: [learning_rate_power initial_accumulator_value l1_regularization_strength
  l2_regularization_strength l2_shrinkage_regularization_strength beta weight_decay clipnorm
  clipvalue global_clipnorm use_ema ema_momentum ema_overwrite_frequency loss_scale_factor
  gradient_accumulation_steps name]
Lion: [beta_1 beta_2 weight_decay clipnorm clipvalue global_clipnorm use_ema ema_momentum
  ema_overwrite_frequency loss_scale_factor gradient_accumulation_steps name]
Muon: [adam_beta_1 adam_beta_2 adam_weight_decay epsilon weight_decay clipnorm clipvalue
  global_clipnorm use_ema ema_momentum ema_overwrite_frequency loss_scale_factor
  gradient_accumulation_steps name exclude_layers exclude_embeddings muon_a muon_b muon_c
  adam_lr_ratio momentum ns_steps nesterov rms_rate]
RMSprop: [rho momentum epsilon centered weight_decay clipnorm clipvalue global_clipnorm use_ema
  ema_momentum ema_overwrite_frequency loss_scale_factor gradient_accumulation_steps name]
SGD: [momentum nesterov weight_decay clipnorm clipvalue global_clipnorm use_ema ema_momentum
  ema_overwrite_frequency loss_scale_factor gradient_accumulation_steps name]
ScheduleFreeAdamW: [beta_1 beta_2 epsilon warmup_steps weight_decay clipnorm clipvalue
  global_clipnorm use_ema ema_momentum ema_overwrite_frequency loss_scale_factor
  gradient_accumulation_steps name]
"""
BACKBONES = """
ConvNeXtBase ConvNeXtLarge ConvNeXtSmall ConvNeXtTiny ConvNeXtXLarge: [include_preprocessing pooling
  name]
DenseNet121 DenseNet169 DenseNet201 EfficientNetB0 EfficientNetB1 EfficientNetB2 EfficientNetB3
  EfficientNetB4 EfficientNetB5 EfficientNetB6 EfficientNetB7 InceptionResNetV2 InceptionV3
  NASNetLarge NASNetMobile ResNet101 ResNet101V2 ResNet152 ResNet152V2 ResNet50 ResNet50V2 VGG16
  VGG19 Xception: [pooling name]
EfficientNetV2B0 EfficientNetV2B1 EfficientNetV2B2 EfficientNetV2B3 EfficientNetV2L EfficientNetV2M
  EfficientNetV2S: [pooling include_preprocessing name]
MobileNet: [alpha depth_multiplier dropout pooling name]
MobileNetV2: [alpha pooling name]
MobileNetV3Large MobileNetV3Small: [alpha minimalistic pooling dropout_rate include_preprocessing
  name]
"""
INITIALIZERS = """
Constant Constraint GlorotNormal GlorotUniform HeNormal HeUniform Identity IdentityInitializer
Initializer L1 L1L2 L2 LecunNormal LecunUniform MaxNorm MinMaxNorm NonNeg Ones Orthogonal
OrthogonalInitializer OrthogonalRegularizer RandomNormal RandomUniform Regularizer STFT
STFTInitializer TruncatedNormal UnitNorm VarianceScaling Zeros constant glorot_normal glorot_uniform
he_normal he_uniform identity l1 l1_l2 l2 lecun_normal lecun_uniform max_norm min_max_norm non_neg
ones orthogonal orthogonal_regularizer random_normal random_uniform stft truncated_normal unit_norm
variance_scaling zeros
"""
